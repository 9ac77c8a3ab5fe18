/** Explanations of refused calls: helpers, kernel functions, functions of the program, resources. */
import { MAP_TYPE_NAMES } from '../maps/uapi.ts';
import type { FrameFacts, Rule } from './explainRules.ts';

/** What gives back what a call gave, by the beginning of its name. */
const RELEASES: readonly (readonly [acquires: string, releases: string])[] = [
  ['bpf_ringbuf_reserve_dynptr', 'bpf_ringbuf_submit_dynptr or bpf_ringbuf_discard_dynptr'],
  ['bpf_ringbuf_reserve', 'bpf_ringbuf_submit(ptr, 0) or bpf_ringbuf_discard(ptr, 0)'],
  ['bpf_sk_lookup', 'bpf_sk_release(sk)'],
  ['bpf_skc_lookup', 'bpf_sk_release(sk)'],
  ['bpf_map_lookup_elem', 'bpf_sk_release(sk)'],
  ['bpf_xdp_ct', 'bpf_ct_release(ct)'],
  ['bpf_skb_ct', 'bpf_ct_release(ct)'],
  ['bpf_iter_num', 'bpf_iter_num_destroy(&it)'],
  ['bpf_task', 'bpf_task_release(task)'],
  ['bpf_cgroup', 'bpf_cgroup_release(cgroup)'],
  ['bpf_cpumask', 'bpf_cpumask_release(mask)'],
  ['bpf_obj_new', 'bpf_obj_drop(ptr)'],
  ['bpf_refcount_acquire', 'bpf_obj_drop(ptr)'],
  ['bpf_list_pop', 'bpf_obj_drop (of the object, not of its node)'],
  ['bpf_rbtree_remove', 'bpf_obj_drop (of the object, not of its node)'],
  ['bpf_kptr_xchg', 'bpf_obj_drop, for objects of the kernel their own release function,'],
  ['bpf_local_irq_save', 'bpf_local_irq_restore(&flags)'],
];

const releaseOf = (acquires: string): string =>
  RELEASES.find(([name]) => acquires.startsWith(name))?.[1] ?? 'the function that gives it back';

const chainText = (chain: readonly FrameFacts[]): string =>
  chain.length === 0
    ? ''
    : ` ${chain.map(({ name, line, bytes }) => `${name}${line === null ? '' : ` (line ${line})`}: ${bytes} bytes`).join(', ')}; each is rounded up to 16.`;

export const CALL_RULES: readonly Rule[] = [
  {
    says: /is not supported by this verifier|not supported by this verifier/,
    why: 'Linux may well accept it: this emulator does not have it, and refuses it by name instead of guessing.',
    cure: "See the limits in Ringscope's README; the kernel itself is the judge here.",
  },
  {
    says: /program of this type cannot use helper (\S+)/,
    why: (m) =>
      `${m[1]} is not for XDP programs: there is no skb, no socket and no task at this point.`,
    cure: 'Look for the XDP form (bpf_xdp_load_bytes for bpf_skb_load_bytes), or do it in tc.',
  },
  {
    says: /invalid func (\S+)/,
    why: (m) =>
      `There is no helper ${m[1]}. A number in the hundred millions is what libbpf leaves of a type or field that the kernel does not have.`,
    cure: 'Check spelling and kernel version; guard CO-RE accesses with bpf_core_field_exists or bpf_core_type_exists.',
  },
  {
    says: /cannot call (GPL-restricted|kernel) function from non-GPL compatible program/,
    why: 'The function is for programs under the GPL, and this one says another licence.',
    cure: 'char _license[] SEC("license") = "GPL"; (or "Dual MIT/GPL"), if that is what it is.',
  },
  {
    says: /might sleep in a non-sleepable prog/,
    why: 'The function may wait, and a packet program must not.',
    cure: 'Use the variant that does not sleep.',
  },
  {
    says: /R(\d+) type=(\S+) expected=(.*)/,
    why: (m, { held }) =>
      `Argument ${m[1]} of the call must be ${m[3]}, but R${m[1]} holds ${held(Number(m[1]))}.`,
    cure: (m) =>
      m[2]?.endsWith('_or_null')
        ? 'Test the pointer for null before the call.'
        : 'Pass what the helper wants: keys and values by address of a variable on the stack, of a map value or of checked packet bytes; maps by their own address.',
  },
  {
    says: /R(\d+) min value is negative, either use unsigned or/,
    why: (m, { held }) => `The size in R${m[1]} may be negative: it holds ${held(Number(m[1]))}.`,
    cure: 'Make it unsigned and bound it: if (len == 0 || len > sizeof(buf)) return …; a mask (len &= 0x3f) works as well where it is smaller than the buffer.',
  },
  {
    says: /R(\d+) unbounded memory access, use 'var &= const'/,
    why: (m, { held }) =>
      `The size in R${m[1]} has no upper bound: it holds ${held(Number(m[1]))}.`,
    cure: 'Bound it by the buffer right before the call, from both sides: if (len == 0 || len > sizeof(buf)) return …;',
  },
  {
    says: /R(\d+) invalid zero-sized read/,
    why: (m, { held }) =>
      `The size in R${m[1]} may be 0, which this helper does not take: it holds ${held(Number(m[1]))}.`,
    cure: 'Bound it from both sides right before the call: if (len == 0 || len > sizeof(buf)) return …;',
  },
  {
    says: /R(\d+) (?:is not a known constant|must be a known constant|is not a constant address)/,
    why: (m, { held }) =>
      `Argument ${m[1]} must be a constant, but R${m[1]} holds ${held(Number(m[1]))}.`,
    cure: 'Pass a literal, or branch over the values and call with a literal in each.',
  },
  {
    says: /cannot pass map_type (\d+) into func (\S+)/,
    why: (m, { mapIn }) => {
      const mapName = mapIn(1) ?? mapIn(2) ?? '';
      const map = mapName === '' ? 'a map' : `map ${mapName}, which is`;
      return `${m[2]} does not work on ${map} of type ${MAP_TYPE_NAMES[Number(m[1])] ?? m[1]}.`;
    },
    cure: 'Use the helper that belongs to the map: bpf_redirect_map for devmap, cpumap and xskmap, bpf_tail_call for prog_array, bpf_ringbuf_* for ringbuf, lookup for hash and array.',
  },
  {
    says: /helper access to the packet is not allowed/,
    why: 'The helper does not take a pointer into the packet for this argument.',
    cure: 'Copy the bytes to the stack first.',
  },
  {
    says: /R(\d+) leaks addr into helper function/,
    why: 'A pointer is passed where the helper wants a number.',
    cure: 'Check the order of the arguments.',
  },
  {
    says: /Unreleased reference id=(\d+) alloc_insn=(\d+)/,
    why: (m, { call }) => {
      const acquired = call(Number(m[2]));
      return acquired === null
        ? `What instruction ${m[2]} acquired is still held on this path.`
        : `What ${acquired.name} returned at ${acquired.place} (instruction ${m[2]}) is still held on this path.`;
    },
    cure: (m, { call }) =>
      `On this path call ${releaseOf(call(Number(m[2]))?.name ?? '')} before the return; early returns count, and so do loops that acquire again.`,
  },
  {
    says: /would lead to reference leak/,
    why: 'Something acquired is still held on this path.',
    cure: 'Release it on every path, early returns included.',
  },
  {
    says: /must be referenced when passed to release function|reference has not been acquired before|is an unacquired reference|cannot release unowned/,
    why: 'What is released was not acquired, or was released already.',
    cure: 'Release exactly what the acquiring call returned, once, without an offset.',
  },
  {
    says: /(?:function calls are not allowed while holding a lock|cannot be used inside (\S+)-ed region|Locking two bpf_spin_locks)/,
    why: 'Between lock and unlock the program may touch memory, and nothing else.',
    cure: 'Call and compute before the lock; unlock before every return.',
  },
  {
    says: /bpf_spin_unlock (?:without taking a lock|of different lock)|(?:has no valid|doesn't point to 'struct) bpf_(spin_lock|timer)/,
    why: 'The lock or timer is not the one of the map value: it must be a field of a value whose map has BTF, and unlocked as it was locked.',
    cure: 'struct value { struct bpf_spin_lock lock; … }; in a map with __type(value, struct value); pass &value->lock.',
  },
  {
    says: /combined stack size of (\d+) calls is (\d+)\. Too large/,
    why: (m, { chain }) =>
      `The functions on one chain of ${m[1]} calls use ${m[2]} bytes of stack together; 512 is the limit.${chainText(chain)}`,
    cure: 'Move large buffers into a per-CPU array map; static noinline functions share the limit with their callers.',
  },
  {
    says: /the call stack of (\d+) frames is too deep/,
    why: 'Calls go more than 8 deep, or a function calls itself.',
    cure: 'Inline some of the functions, or go on by a tail call.',
  },
  {
    says: /tail_calls are not allowed when call stack of previous frames is (\d+) bytes/,
    why: (m) =>
      `A function that makes tail calls is called with ${m[1]} bytes of stack in use; 256 is the limit there.`,
    cure: 'Make the tail call from the main function, or use less stack before it.',
  },
  {
    says: /tail_call is (?:not allowed|only allowed)/,
    why: 'A tail call out of a subprogram needs BTF and a function that returns int.',
    cure: 'Compile with -g, and let the function return int.',
  },
  {
    says: /[Ee]xpected an? (?:un)?initialized (?:dynptr|iter_\w+|irq flag)|has to be an uninitialized dynptr|expected pointer to (?:an iterator on stack|stack or const)/,
    why: 'The dynptr or iterator on the stack is not in the state that the call needs: made once, used, and destroyed or released once.',
    cure: 'Keep it in a local variable of its own, made on every path that uses it, and never overwritten.',
  },
  {
    says: /arg#(\d+) reference type\('(\w+) ?.*size cannot be determined/,
    why: (m) =>
      `Argument ${Number(m[1]) + 1} of the global function points to ${m[2] === 'UNKNOWN' ? 'nothing that has a size (void *)' : m[2]}. A global function is verified by its prototype alone, and the prototype does not say how many bytes it may use.`,
    cure: 'Make the function static: then it is verified as part of its caller, and may take pointers into the packet, which a global one never can. A global function takes the context, numbers, and non-null pointers to structs of known size.',
  },
  {
    says: /Caller passes invalid args into func#(\d+) \('(\w+)'\)|arg#(\d+) is expected to be non-NULL|reference type\('.*size cannot be determined/,
    why: 'A global function is verified by its prototype alone, and what is passed does not fit it.',
    cure: 'Make the function static: then it is verified as part of its caller, and may take pointers into the packet, which a global one never can. Or pass what its prototype says: the context, numbers, non-null pointers to structs.',
  },
  {
    says: /calling kernel function (\S+) is not allowed|must be sleepable to call sleepable kfunc (\S+)/,
    why: (m) => `${m[1] ?? m[2]} is not for XDP programs.`,
    cure: 'Look for a helper, or do it in a program type that may call it.',
  },
  {
    says: /R(\d+) is not a scalar/,
    why: (m, { held }) =>
      `Argument ${m[1]} must be a number, but R${m[1]} holds ${held(Number(m[1]))}.`,
    cure: 'Check the order of the arguments.',
  },
  {
    says: /args?#(\d+) (?:expect\w* pointer to|pointer type) (.*)|Possibly NULL pointer passed to trusted arg(\d+)|must have zero offset when passed to release func|expects refcounted PTR_TO_BTF_ID/,
    why: 'The kernel function wants a pointer of one certain type, not null, as the function that gave it returned it.',
    cure: 'Test the pointer for null first, and pass it unchanged; numbers and your own structs only where the prototype has them.',
  },
  {
    says: /no write support to (\w+) at off (\d+)|write access at off (\d+) with size (\d+) beyond the member of (\w+)/,
    why: (m) => `Of struct ${m[1] ?? m[5]} programs may write a few members only, whole.`,
    cure: 'Use the kernel functions that change it.',
  },
];
