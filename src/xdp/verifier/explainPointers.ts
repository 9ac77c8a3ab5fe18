/** Explanations of refused register uses and pointer arithmetic. */
import { EXIT } from './insnKind.ts';
import type { Rule } from './explainRules.ts';

export const POINTER_RULES: readonly Rule[] = [
  {
    says: /R(\d+) !read_ok/,
    why: (m, { insn }) =>
      insn?.code === EXIT
        ? 'The function ends without a value in R0: on this path it returns nothing.'
        : `R${m[1]} is read, but holds nothing: it was not set on this path, or a call came between; calls keep R6 to R9 only.`,
    cure: (_, { insn }) =>
      insn?.code === EXIT
        ? 'Return a verdict on every path.'
        : 'Initialise the variable on every path; a warning of the compiler (-Wall: uninitialized) often names it.',
  },
  {
    says: /frame pointer is read only/,
    why: 'R10 is the frame pointer and cannot be changed.',
    cure: 'Copy it to another register first.',
  },
  {
    says: /R(\d+) pointer arithmetic on (\w+) prohibited, null-check it first/,
    why: (m, { held }) =>
      `R${m[1]} holds ${held(Number(m[1]))}; nothing may be added before it is known not to be null.`,
    cure: 'Test the pointer right after the call: if (!ptr) return XDP_PASS; and index it only then.',
  },
  {
    says: /R(\d+) pointer arithmetic on (\w+) prohibited/,
    why: (m, { held }) =>
      `Something is added to R${m[1]}, which holds ${held(Number(m[1]))}; such pointers are used as they are.`,
    cure: 'data_end is for comparisons: write ptr + n > data_end, not data_end - n. Maps, sockets and the context have no elements to step to.',
  },
  {
    says: /R(\d+) pointer comparison prohibited/,
    why: (m) =>
      `The comparison with R${m[1]} would tell something about a kernel address: pointers are compared with null, and packet pointers with one another.`,
    cure: 'Compare numbers, or pointers into the same packet.',
  },
  {
    says: /math between (\w+) pointer and register with unbounded min value is not allowed/,
    why: (m) =>
      `A number that may be negative and is bounded by nothing is added to a ${m[1]} pointer.`,
    cure: 'Bound it first and keep it unsigned: if (off > MAX) return …; the bound must be on the variable that is added.',
  },
  {
    says: /math between (\w+) pointer and (-?\d+) is not allowed|value (-?\d+) makes (\w+) pointer be out of bounds|(\w+) pointer offset (-?\d+) is not allowed/,
    why: 'What is added takes the pointer further than 2^29 bytes from where it points: no packet and no value is so large.',
    cure: 'Bound the number before it is added (for packets by 0xffff at most), with unsigned types.',
  },
  {
    says: /R(\d+) tried to subtract pointer from scalar|R(\d+) subtraction from stack pointer prohibited/,
    why: 'A pointer is subtracted from a number, or the stack pointer is moved by subtraction of an unknown.',
    cure: 'Only pointer - number, and for packet pointers pointer - pointer, are defined.',
  },
  {
    says: /R(\d+) pointer \S+ pointer prohibited/,
    why: 'Two pointers are combined by an operation that gives no address.',
    cure: 'Subtract packet pointers to get a length; nothing else is allowed between pointers.',
  },
  {
    says: /R(\d+) (?:32-bit pointer arithmetic prohibited|partial copy of pointer|sign-extension part of pointer)/,
    why: (m) => `Only the low half of the pointer in R${m[1]} would be kept.`,
    cure: 'Cast through long, as in (void *)(long)ctx->data; never to int or __u32.',
  },
  {
    says: /R(\d+) (?:bitwise operator|pointer arithmetic with) (\S+)/,
    why: (m) => `The operator ${m[2]} is applied to the pointer in R${m[1]}; only + and - are.`,
    cure: 'Compute the offset as a number, bound it, then add it to the pointer.',
  },
  {
    says: /R0 leaks addr as return value/,
    why: 'The program returns a pointer; a verdict is a number.',
    cure: 'Return XDP_PASS, XDP_DROP, XDP_TX, XDP_REDIRECT or XDP_ABORTED.',
  },
  {
    says: /the register R0 has.*should have been in \[(-?\d+), (-?\d+)\]/,
    why: (m) => `The function must return ${m[1]} to ${m[2]}, and may return something else here.`,
    cure: 'A callback of bpf_loop or bpf_for_each_map_elem returns 0 to go on and 1 to stop; a timer callback returns 0.',
  },
  {
    says: /same insn cannot be used with different pointers/,
    why: 'On different paths one load or store uses pointers of different kinds, so that it would need two translations.',
    cure: 'Write the access once per kind, so that the compiler does not merge them (a barrier() or asm volatile("") between).',
  },
  {
    says: /(div by zero|invalid shift -?\d+)/,
    why: (m) => `A constant of the instruction makes no sense: ${m[1]}.`,
    cure: 'Correct the constant; shifts are below the width of the operand.',
  },
];
