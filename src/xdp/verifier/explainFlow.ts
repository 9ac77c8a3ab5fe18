/** Explanations of programs refused for their shape or for their size. */
import type { Rule } from './explainRules.ts';

export const FLOW_RULES: readonly Rule[] = [
  {
    says: /infinite loop detected at insn (\d+)/,
    why: 'The path came back to where it was with nothing changed that could ever end the loop.',
    cure: 'Let the loop count by a local variable to a constant bound: for (int i = 0; i < 16; i++); or use bpf_loop or bpf_for.',
  },
  {
    says: /BPF program is too large\. Processed (\d+) insn/,
    why: 'A million instructions were walked over all paths together. Usually a loop with several ways through its body: they multiply with every turn.',
    cure: 'Put the body into a global function (not static) or a bpf_loop callback, which are walked once; fewer turns; or let the ways meet with the same knowledge (same bounds, no flags that differ).',
  },
  {
    says: /The sequence of (\d+) jumps is too complex/,
    why: 'More than 8,192 branches wait to be walked.',
    cure: 'Fewer conditions in a row: bpf_loop, a global function, or a map in place of a long switch.',
  },
  {
    says: /unreachable insn (\d+)/,
    why: 'No jump leads to this instruction.',
    cure: 'Let clang with -O2 make the program; hand-written instructions must all be reachable.',
  },
  {
    says: /jump out of range|call to invalid destination|invalid insn idx/,
    why: 'A jump or call leads outside its function.',
    cure: 'Check the offset: it counts instructions from the next one.',
  },
  {
    says: /jump into the middle of ldimm64|invalid bpf_ld_imm64 insn|unrecognized bpf_ld_imm64/,
    why: 'A 64-bit load takes two slots, and one of them is missing or jumped into.',
    cure: 'Count two slots for it.',
  },
  {
    says: /last insn is not an exit or jmp/,
    why: 'The function runs past its end: it does not return on some path.',
    cure: 'End every path with a return; a missing return of a non-void function, or code after __builtin_unreachable(), does this.',
  },
  {
    says: /BPF_LD_\[ABS\|IND\] instructions not allowed|LD_ABS is/,
    why: 'Legacy packet loads (load_byte, load_half, load_word) are for socket filters, where there is an skb.',
    cure: 'Read the packet through ctx->data and ctx->data_end.',
  },
  {
    says: /uses reserved fields|unknown (?:opcode|insn class)|invalid BPF_\w+|BPF_ATOMIC/,
    why: 'The instruction is not one the kernel knows, or has bits set that must be 0.',
    cure: 'Compile for the kernel that is to run it (-mcpu=v3).',
  },
  {
    says: /func_info|line_info|in func info/,
    why: "The object's BTF about functions or lines does not fit its instructions.",
    cure: 'Build with one clang and -g, and do not edit sections afterwards.',
  },
  {
    says: /fd -?\d+ is not pointing to valid bpf_map|total number of maps per program|direct value (?:offset|access)|invalid access to map value pointer/,
    why: 'An instruction names a map, or a place in its value, that there is not.',
    cure: 'Declare the map in SEC(".maps"), and keep global variables inside their section.',
  },
  {
    says: /a program has 1 to \d+ instructions/,
    why: 'The program is empty or longer than Linux takes.',
    cure: 'Split it, and go on by tail calls.',
  },
  {
    says: /prohibited for !root/,
    why: 'Without CAP_PERFMON the kernel guards against speculation, and this arithmetic cannot be guarded.',
    cure: 'Load it with CAP_PERFMON, or bound the number by a mask before it is added.',
  },
];
