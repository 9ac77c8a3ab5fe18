/**
 * Explanations of what programs allocate, keep in lists, trees and maps, of arenas, and of what they
 * throw.
 */
import type { Rule } from './explainRules.ts';

export const OBJECT_RULES: readonly Rule[] = [
  {
    says: /bpf_throw (?:would lead to reference leak|cannot be used inside (\S+)-ed region)/,
    why: ([, region]) =>
      `bpf_throw ends the program where it stands: nothing behind it runs, so ${region === undefined ? 'what is held' : `what ${region} began`} would stay for ever.`,
    cure: 'Give everything back before bpf_throw, or return an error and throw where nothing is held.',
  },
  {
    says: /bpf_throw kfunc \(insn \d+\) cannot be called from callback/,
    why: 'What throws would have to unwind the helper that called the function, too.',
    cure: 'Leave a mark in what the callback is given, return 1 to end the loop, and throw behind it.',
  },
  {
    says: /[Ee]xception (?:cb|callback)/,
    why: 'The function named by __exception_cb is called by the kernel alone, with the number that was thrown.',
    cure: 'One global function, int name(u64 cookie), in the same object, with BTF (-g), that neither throws nor is called.',
  },
  {
    says: /bpf_spin_lock at off=(-?\d+) must be held for bpf_(list_head|rb_root)/,
    why: ([, , root]) =>
      `The ${root === 'rb_root' ? 'tree' : 'list'} belongs to the lock of the same map value or section, and that is not the lock that is held.`,
    cure: 'bpf_spin_lock(&value->lock) first, of the value that the list or tree is in; two lookups of one key are two values here.',
  },
  {
    says: /can only take non-owning or refcounted|allocated object must be referenced|arg#\d+ expected pointer to allocated object|is neither owning or non-owning ref/,
    why: ([said]) =>
      said.startsWith('arg#') || said.startsWith('allocated')
        ? 'The call takes an object that the program owns: from bpf_obj_new, taken out of a list, tree or map, and not put in one since.'
        : 'The node is neither owned nor looked at any more: what is only looked at is gone with the lock.',
    cure: 'Once put in, an object belongs to its list or tree; until the unlock it may be read and written, and no more. To hold it in two places count it: struct bpf_refcount and bpf_refcount_acquire.',
  },
  {
    says: /doesn't point to a type with bpf_refcount field/,
    why: 'Objects have one owner unless they count their owners.',
    cure: 'Give the struct a member of type struct bpf_refcount.',
  },
  {
    says: /operation on bpf_(?:list_head|rb_root) expects .* in struct (\w+), but arg is at offset=(\d+) in struct (\w+)|expected bpf_\w+_node at offset=(\d+) in struct (\w+)/,
    why: (m) =>
      `The list or tree is declared to hold struct ${m[1] ?? m[5]} by one of its members, and gets ${m[3] === undefined ? 'another member' : `one of struct ${m[3]}`}.`,
    cure: 'Put in what the tag says: __contains(struct, member) beside the head or root.',
  },
  {
    says: /direct access to (\S+) is disallowed/,
    why: ([, field]) => `The kernel keeps ${field} for itself.`,
    cure: 'Use the functions that take its address.',
  },
  {
    says: /store to (?:referenced kptr|uptr) disallowed|kptr cannot be accessed indirectly/,
    why: 'A pointer that a map keeps has an owner at any time; a plain store or copy would lose the old one.',
    cure: 'old = bpf_kptr_xchg(&value->ptr, new), and give old back if it is not null.',
  },
  {
    says: /invalid kptr access, R\d+ type=(\S*) expected=(\S*)/,
    why: ([, given, wanted]) => `The map keeps ${wanted} there, and is given ${given}.`,
    cure: 'Pass the pointer as the function that gave it returned it: of the struct in the declaration, not null, without an offset.',
  },
  {
    says: /off=(\d+) (?:doesn't point to kptr|kptr isn't referenced kptr)|R\d+ has no valid kptr/,
    why: 'bpf_kptr_xchg takes the address of a pointer that the map was declared to keep.',
    cure: 'struct value { struct object __kptr *ptr; }; in a map with __type(value, struct value).',
  },
  {
    says: /bpf_obj_new\/bpf_percpu_obj_new requires prog BTF|has to have BTF in order to use/,
    why: 'The kernel has no types of this program: compiled without -g, or it refused them. A list head without a lock beside it, a tag that names nothing, a link of the wrong kind spoil all types of the object; a lock in an LRU or per-CPU map those of the map.',
    cure: 'Compile with -g; keep each list or tree beside a struct bpf_spin_lock and tag it __contains(struct, member); locks only in hashes and arrays.',
  },
  {
    says: /Acquiring the same lock again|bpf_res_spin_unlock (?:cannot be out of order|without taking|of different)/,
    why: 'Such locks nest: each is taken once, and the last taken goes first. Behind a bpf_res_spin_lock that failed nothing is held.',
    cure: 'if (bpf_res_spin_lock(&value->lock)) return …; then unlock the same value’s lock, newest first, on every path.',
  },
  {
    says: /R(\d+) type=arena expected=/,
    why: ([, register]) =>
      `R${register} points into an arena: the program may read and write there, but the kernel does not follow such pointers.`,
    cure: 'Copy what the helper needs to the stack, or to a map value, and pass that.',
  },
  {
    says: /associated arena|Only one arena per program|required to use arena|arena's user address must be set|is not a pointer to arena or scalar/,
    why: 'Pointers with address_space(1) live in the one arena map that the program names.',
    cure: 'Name the arena in the program ((void)&arena), one and no more; where the loader does not map it, give it an address by map_extra.',
  },
];
