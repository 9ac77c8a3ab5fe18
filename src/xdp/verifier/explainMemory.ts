/** Explanations of refused loads and stores: map values, stack, context. */
import type { Insn } from '../isa/insn.ts';
import { BPF_ST, BPF_STX } from '../isa/insn.ts';
import { classOf } from './insnKind.ts';
import type { Rule } from './explainRules.ts';
import { sized } from './sized.ts';

const isStore = (insn: Insn): boolean => classOf(insn) === BPF_ST || classOf(insn) === BPF_STX;

export const MEMORY_RULES: readonly Rule[] = [
  {
    says: /invalid access to map value, value_size=(\d+) off=(-?\d+) size=(\d+)/,
    why: (m) =>
      `The map's value has ${sized(Number(m[1]))}, and the access can reach ${sized(Number(m[3]))} at offset ${m[2]}: outside the value.`,
    cure: (m) =>
      `Keep index and offset inside: mask or compare the index (i &= N - 1; or if (i >= N) return …), so that offset + ${m[3]} is at most ${m[1]}; or make the value larger.`,
  },
  {
    says: /invalid access to (memory|map key), (?:mem|key)_size=(\d+) off=(-?\d+) size=(\d+)/,
    why: (m) =>
      `The ${m[1] === 'memory' ? 'memory' : "map's key"} has ${sized(Number(m[2]))}, and the access can reach ${sized(Number(m[4]))} at offset ${m[3]}.`,
    cure: 'Ask for as much as is used (size of the reservation, of the slice, of the argument), or bound the offset.',
  },
  {
    says: /R(\d+) invalid mem access '(\w+?)_or_null'/,
    why: (m, { held }) =>
      `R${m[1]} holds ${held(Number(m[1]))}. It is used without asking whether it is null.`,
    cure: 'Test it first: if (!ptr) return XDP_PASS; and use that same pointer afterwards.',
  },
  {
    says: /R(\d+) invalid mem access 'scalar'/,
    why: (m, { held }) =>
      `R${m[1]} is used as an address, but holds ${held(Number(m[1]))}. A pointer becomes a number through arithmetic on 32 bits, through storing it in part, after a call that moves the packet, or when it never was one (ctx->data cast to int, a kernel address).`,
    cure: 'Keep pointers in pointer variables: (void *)(long)ctx->data. After bpf_xdp_adjust_* load data and data_end again. Kernel memory is read with bpf_probe_read_kernel or a kernel function.',
  },
  {
    says: /R(\d+) invalid mem access '(\w+)'/,
    why: (m, { held }) =>
      `R${m[1]} holds ${held(Number(m[1]))}, which may not be read or written through.`,
    cure: 'data_end is for comparisons only, a map for bpf_map_lookup_elem only: use a pointer to data.',
  },
  {
    says: /R(\d+) min value is negative, either use unsigned index/,
    why: (m, { held }) => `The offset in R${m[1]} may be negative: it holds ${held(Number(m[1]))}.`,
    cure: 'Make the index unsigned (__u32, __u64), or compare it with 0 first. Mind that a signed int is extended.',
  },
  {
    says: /R(\d+) min value is outside of the allowed memory range/,
    why: (m, { held }) =>
      `At its least the access begins outside: R${m[1]} holds ${held(Number(m[1]))}.`,
    cure: 'Bound the offset from below and above before it is added to the pointer.',
  },
  {
    says: /R(\d+) max value is outside of the allowed memory range/,
    why: (m, { held }) =>
      `At its most the access ends outside: R${m[1]} holds ${held(Number(m[1]))}.`,
    cure: 'Bound the index tighter, by a comparison or a mask, on the same variable that is used; the compiler may have kept a copy that was not compared.',
  },
  {
    says: /R(\d+) unbounded memory access, make sure to bounds check/,
    why: (m, { held }) =>
      `Nothing bounds the offset from above: R${m[1]} holds ${held(Number(m[1]))}.`,
    cure: 'Compare the index with the size before it is used (if (i >= N) return …), or mask it (i &= N - 1).',
  },
  {
    says: /invalid bpf_context access off=(-?\d+) size=(\d+)/,
    why: (m, { insn }) =>
      insn !== null && isStore(insn)
        ? `An XDP program may read struct xdp_md, not write to it (here ${sized(Number(m[2]))} at offset ${m[1]}).`
        : `struct xdp_md has nothing of ${sized(Number(m[2]))} at offset ${m[1]} that an XDP program may read: its fields are 32 bits wide and lie at 0 to 20; egress_ifindex is for programs in a devmap.`,
    cure: 'Read the fields by name, whole: ctx->data, data_end, data_meta, ingress_ifindex, rx_queue_index.',
  },
  {
    says: /dereference of modified (\w+) ptr R(\d+)/,
    why: (m) => `Something was added to the ${m[1]} pointer in R${m[2]} before it was used.`,
    cure: 'Use ctx itself with constant offsets: copy fields to variables, do not compute &ctx->field.',
  },
  {
    says: /negative offset (\w+) ptr R(\d+)/,
    why: (m) => `The ${m[1]} pointer in R${m[2]} was moved below the start of what it points to.`,
    cure: 'Use it as it was given.',
  },
  {
    says: /variable (\w+) access var_off=/,
    why: 'The offset into the context is not a constant.',
    cure: 'Read the fields of ctx by name.',
  },
  {
    says: /invalid read from stack (?:R\d+ )?(?:off|var_off) ?(\S+) size (\d+)/,
    why: 'Bytes of the stack are read that were not written on this path.',
    cure: 'Initialise the variable: struct key k = {}; Padding counts as well when a struct goes to a helper: __builtin_memset it.',
  },
  {
    says: /invalid (?:variable-offset )?.*stack R\d+ .*off=(-?\d+) size=(\d+)/,
    why: (m) =>
      `${sized(Number(m[2]))} at offset ${m[1]} from the frame pointer are outside the stack, which has 512 bytes below it.`,
    cure: 'Keep arrays on the stack small and their index bounded; large buffers belong into a per-CPU array map.',
  },
  {
    says: /invalid unbounded variable-offset.*stack R(\d+)/,
    why: (m, { held }) =>
      `The index into an array on the stack is unbounded: R${m[1]} holds ${held(Number(m[1]))}.`,
    cure: 'Compare or mask the index before it is used.',
  },
  {
    says: /variable offset stack access prohibited|variable stack access prohibited/,
    why: 'Without CAP_PERFMON the stack is used at constant offsets only.',
    cure: 'Unroll the loop, or use a map value as the array.',
  },
  {
    says: /attempt to corrupt spilled pointer|invalid size of register (?:spill|fill)|leaking pointer from stack/,
    why: 'A pointer that was saved on the stack is read or overwritten in part.',
    cure: 'Store and load pointers whole, 8 bytes at an address that is a multiple of 8; no union or memcpy over them.',
  },
  {
    says: /misaligned (.*)access off (.*) size (\d+)/,
    why: (m) => `An access of ${m[3]} bytes is not at a multiple of its size.`,
    cure: 'Use __builtin_memcpy or single bytes, or __attribute__((packed)) for the struct.',
  },
  {
    says: /(write into|read from) map forbidden/,
    why: (m) =>
      `The map's flags forbid to ${m[1] === 'write into' ? 'write' : 'read'} it from programs (BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG; const variables and string constants are read-only).`,
    cure: 'Declare the variable without const, or the map without the flag.',
  },
  {
    says: /R(\d+) cannot write into (\S+)/,
    why: (m) => `R${m[1]} points to memory that may only be read (${m[2]}).`,
    cure: 'Copy what you want to change to the stack or into a map value.',
  },
  {
    says: /R(\d+) leaks addr into (\S+)/,
    why: (m) => `A kernel address would be written to ${m[2]}, where others can read it.`,
    cure: 'Store the data, not the pointer; numbers computed from pointers (data_end - data) are fine with CAP_PERFMON only.',
  },
  {
    says: /(\S+) cannot be accessed directly by load\/store/,
    why: (m) =>
      `The program touches the bytes of a ${m[1]} in a map value, which belong to the kernel.`,
    cure: 'Leave the field to its helpers; do not memcpy or assign the whole struct over it.',
  },
  {
    says: /cannot access ptr member|access beyond (?:the end of member|struct)|doesn't have field at offset|is (\w+) invalid negative access|only read (?:from \w+ )?is supported|access is allowed only to CAP_PERFMON/,
    why: 'The program reads or writes a structure of the kernel (a map, for instance) where it has no member of that size, or one that programs may not touch.',
    cure: 'Read whole members by name through CO-RE (vmlinux.h, BPF_CORE_READ); for maps use the helpers.',
  },
  {
    says: /R(\d+) invalid (\w+) access off=(-?\d+) size=(\d+)/,
    why: (m) =>
      `The ${m[2]} that R${m[1]} points to has nothing of ${sized(Number(m[4]))} at offset ${m[3]} that a program may use.`,
    cure: 'Read the fields of the UAPI struct by name, whole.',
  },
  {
    says: /invalid zero-sized read/,
    why: 'Nothing would be read: the size is 0, which the call does not take.',
    cure: 'Call it with a size of 1 or more.',
  },
];
