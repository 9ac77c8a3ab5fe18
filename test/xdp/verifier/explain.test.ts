/** Refusals in plain words: every one names the line that is to blame, and says what it is about. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { REGS, asm, assemble } from '../../../src/xdp/isa/asm.ts';
import { parseElf } from '../../../src/xdp/loader/parseElf.ts';
import type { CollectionSpec } from '../../../src/xdp/loader/spec.ts';
import type { VerifyObjectOptions } from '../../../src/lab/bpfVerify.ts';
import { verifyObject } from '../../../src/lab/bpfVerify.ts';
import type { Explanation } from '../../../src/xdp/verifier/explain.ts';
import { smallCases } from '../../oracle/caseText.ts';
import type { OracleCaps } from '../../oracle/oracle.ts';
import { ourVerdict } from '../../oracle/verifierJudge.ts';
import { programBytes } from '../../oracle/verifierPrograms.ts';

const R0 = REGS[0]!;
const R1 = REGS[1]!;
const R2 = REGS[2]!;
const R3 = REGS[3]!;
const R6 = REGS[6]!;

const objectAt = (file: string): CollectionSpec =>
  parseElf(readFileSync(new URL(`../../../${file}`, import.meta.url)), { file });

describe('C programs', () => {
  const file = 'test/bpf/refused/explained.o';
  const spec = objectAt(file);
  const misled = objectAt('test/bpf/refused/misled.o');

  it.each<[program: string, why: RegExp, cure: RegExp]>([
    ['packet_short', /1 byte .* offset 20 .* only 14 bytes/, /ptr \+ 21 > data_end/],
    ['packet_after_adjust', /until line \d+ .*adjust_head/, /load data .* again/],
    ['packet_negative', /offset -2 .* before the start/, /adjust_head/],
    ['packet_far', /more than 65535 bytes .* tells the verifier nothing/, /off &= 0x7fff/],
    ['lookup_unchecked', /value of map table .* or null/, /if \(!ptr\)/],
    ['value_index', /Nothing bounds the offset/, /i >= N/],
    ['value_index_off_by_one', /24 bytes.* 4 bytes at offset 24/, /mask or compare/],
    ['value_index_signed', /may be negative/, /unsigned/],
    ['context_field', /nothing of 4 bytes at offset 24/, /by name/],
    ['context_write', /read struct xdp_md, not write/, /by name/],
    ['read_only_variable', /const variables/, /without const/],
    ['number_as_pointer', /holds a number from 0 to 4294967295/, /pointer variables/],
    ['through_data_end', /data_end/, /comparisons only/],
    ['data_end_minus', /added to R\d, which holds data_end/, /ptr \+ n > data_end/],
    ['uninitialised_key', /Argument 2 .* holds a number/, /by address/],
    ['key_missing', /Argument 2 .* holds the number 0/, /by address/],
    ['unbounded_size', /may be 0/, /len == 0/],
    ['stack_too_small', /600 bytes at offset -16/, /per-CPU array/],
    ['reservation_kept', /bpf_ringbuf_reserve returned at line 197 /, /ringbuf_discard/],
    ['reservation_overrun', /memory has 8 bytes.*offset 8/, /Ask for as much/],
    ['call_under_lock', /Between lock and unlock/, /before the lock/],
    ['lock_field', /bpf_spin_lock in a map value/, /helpers/],
    ['unlock_only', /lock/, /&value->lock/],
    ['foreign_helper', /bpf_skb_pull_data#39 is not for XDP/, /tc/],
    ['gpl_helper', /under the GPL/, /_license/],
    [
      'wrong_map',
      /bpf_redirect_map#51 does not work on map table, which is of type hash/,
      /devmap/,
    ],
    ['endless', /nothing changed that could ever end/, /bpf_loop/],
    ['global_unchecked', /or null/, /if \(!ptr\)/],
    ['null_argument', /or null/, /Test the pointer for null/],
    ['index_before_check', /known not to be null/, /if \(!ptr\)/],
    ['pointer_multiplied', /operator \*= is applied to the pointer/, /then add it/],
    ['pointer_cut', /low half of the pointer/, /through long/],
  ])('%s', (name, why, cure) => {
    const [verdict] = verifyObject(spec, [spec.programs[name]!]);
    const { explanation } = verdict!;
    expect(explanation?.why).toMatch(why);
    expect(explanation?.cure).toMatch(cure);
    expect(explanation?.source?.text).toMatch(/\/\/ here$/);
  });

  it.each<[program: string, why: RegExp, cure: RegExp]>([
    ['compared_too_far', /262140.* tells the verifier nothing/, /off &= 0x7fff.* as before/],
    ['moved_before', /2 bytes .* offset 2 of the pointer/, /ptr \+ 4 > data_end/],
    ['compared_inversely', /at line \d+ .* does not hold on this path/, /^Turn .* \(ptr \+ 13 >/],
    ['loop_to_the_end', /Nothing but data_end ends the loop/, /i < 1500/],
    [
      'size_beside_buffer',
      /^R4 says how many .* R3 .* from 1 to 255: the buffer has 64 bytes/,
      /len == 0 \|\| len > sizeof/,
    ],
    ['socket_kept', /bpf_sk_lookup_tcp returned at line \d+/, /bpf_sk_release\(sk\)/],
    ['global_void', /^Argument 1 .*\(void \*\)/, /^Make the function static/],
  ])('%s, and the same at every log level', (name, why, cure) => {
    const said = (options: VerifyObjectOptions): Explanation | null | undefined =>
      verifyObject(misled, [misled.programs[name]!], options)[0]?.explanation;
    const explanation = said({});
    expect(explanation?.why).toMatch(why);
    expect(explanation?.cure).toMatch(cure);
    expect(explanation?.source?.text).toMatch(/\/\/ here$/);
    if (name === 'loop_to_the_end') return; // its full log is long
    for (const logLevel of [0, 1, 2]) expect(said({ logLevel })).toEqual(explanation);
  });

  it.each<[object: string, program: string, why: RegExp, cure: RegExp]>([
    ['kptrs', 'bad_leaked', /bpf_obj_new_impl returned at .* still held/, /bpf_obj_drop\(ptr\)/],
    ['kptrs', 'bad_old_leaked', /bpf_kptr_xchg.* still held/, /bpf_obj_drop, .*release/],
    ['kptrs', 'bad_stored_directly', /plain store/, /bpf_kptr_xchg/],
    ['kptrs', 'bad_other_type', /keeps ptr_plain_data there, and is given ptr_other_data/, /null/],
    ['kptrs', 'bad_map_without', /declared to keep/, /__kptr/],
    ['graphs', 'bad_popped_leaked', /bpf_list_pop_front .*still held/, /not of its node/],
    ['graphs', 'bad_pushed_unlocked', /The list belongs to the lock/, /&value->lock/],
    ['graphs', 'bad_first_unlocked', /The tree belongs to the lock/, /&value->lock/],
    ['graphs', 'bad_pushed_twice', /that the program owns/, /bpf_refcount_acquire/],
    ['graphs', 'bad_remove_after_unlock', /gone with the lock/, /until the unlock/],
    ['graphs', 'bad_pushed_other', /hold struct item .* gets one of struct other/, /__contains/],
    ['graphs', 'bad_node_written', /keeps bpf_list_node for itself/, /its address/],
    ['graphs', 'bad_count_of_uncounted', /one owner/, /struct bpf_refcount/],
    ['exceptions', 'bad_throw_in_rcu', /what bpf_rcu_read_lock began/, /before bpf_throw/],
    ['exceptions', 'bad_throw_in_callback', /unwind the helper/, /throw behind it/],
    ['exceptions', 'bad_cb_two_args', /by the kernel alone/, /int name\(u64 cookie\)/],
    ['resilient', 'bad_same_twice', /the last taken goes first/, /newest first/],
    ['spoilthead', 'bad_makes', /A list head without a lock/, /__contains/],
    ['mapkinds', 'bad_lock_in_lru', /a lock in an LRU/, /hashes and arrays/],
  ])('%s: %s', (source, name, why, cure) => {
    const object = `${source}.v4.o`;
    const programs = parseElf(programBytes(object), { file: object });
    const [verdict] = verifyObject(programs, [programs.programs[name]!]);
    expect(verdict!.explanation?.why).toMatch(why);
    expect(verdict!.explanation?.cure).toMatch(cure);
  });

  it('of a walk too long to be repeated for its log, the end of the log is kept', () => {
    const [verdict] = verifyObject(misled, [misled.programs['loop_to_the_end']!]);
    const log = verdict?.log;
    expect(log).toMatch(/^\d+: R0=.* R1=pkt\(.*\n; sum \+= .*\n\d+: \(71\) /);
    expect(log).toMatch(
      /invalid access to packet, .*\nR\d offset is outside of the packet\nprocessed \d+ insns/,
    );
  });

  it('what no single line is to blame for', () => {
    const [verdict] = verifyObject(spec, [spec.programs['deep_stack']!]);
    expect(verdict).toMatchObject({
      message: 'combined stack size of 2 calls is 608. Too large',
      slot: null,
      source: null,
    });
    expect(verdict!.explanation).toMatchObject({ source: null, origins: [], path: [] });
    expect(verdict!.explanation!.why).toMatch(
      /608 bytes .* deep_stack \(line \d+\): 30\d bytes, half_stack \(line \d+\): 30\d bytes/,
    );
  });

  it('the path that leads there, branch by branch, and where a register came from', () => {
    const [verdict] = verifyObject(spec, [spec.programs['reservation_kept']!]);
    const { path, earlier } = verdict!.explanation!;
    expect(path.map(({ source, taken }) => [source?.text, taken])).toEqual([
      ['if (!event)', false],
      ['if (ctx->rx_queue_index == 3)', true],
    ]);
    expect(earlier).toBe(0);
    const [lookup] = verifyObject(spec, [spec.programs['null_argument']!]);
    expect(lookup!.explanation!.origins).toMatchObject([
      { register: 2, source: { text: 'void *other = bpf_map_lookup_elem(&table, &key);' } },
    ]);
  });
});

describe('instructions that no compiler writes', () => {
  const explained = (
    lines: Parameters<typeof assemble>[0],
    caps: OracleCaps = 'all',
  ): { why: string; cure: string; lost: boolean | undefined } => {
    const result = ourVerdict({ name: 'case', insns: assemble(lines), logLevel: 1, caps }, 2);
    const { why, cure, origins } = result.explanation!;
    return { why, cure, lost: origins[0]?.lost };
  };

  it.each<[name: string, Parameters<typeof assemble>[0], why: RegExp]>([
    ['no return value', [asm.exit()], /ends without a value in R0/],
    [
      'a register that was never set',
      [asm.mov(R0, R3), asm.exit()],
      /R3 is read, but holds nothing/,
    ],
    ['the frame pointer', [asm.mov(REGS[10]!, 1), asm.exit()], /R10 is the frame pointer/],
    ['unreachable', [asm.mov(R0, 1), asm.exit(), asm.mov(R0, 2), asm.exit()], /No jump leads/],
    ['past the end', [asm.mov(R0, 1)], /runs past its end/],
    ['division', [asm.mov(R0, 1), asm.div(R0, 0), asm.exit()], /div by zero/],
    ['two pointers', [asm.add(R1, R1), asm.mov(R0, 0), asm.exit()], /Two pointers are combined/],
    ['nothing', [], /empty or longer/],
    ['an unknown helper', [asm.call(9999), asm.exit()], /There is no helper/],
    // the kernel's words, errno 71
    [
      'a map by its index',
      [
        { insn: { code: 0x18, dst: 1, src: 5, off: 0, imm: 0 } },
        { insn: { code: 0, dst: 0, src: 0, off: 0, imm: 0 } },
        asm.exit(),
      ],
      /fd_idx without fd_array is invalid/,
    ],
    ['a pointer returned', [asm.mov(R0, R1), asm.exit()], /returns a pointer/],
  ])('%s', (_, lines, why) => {
    // the last one needs a loader that may not keep pointers as numbers
    expect(explained(lines, 'noperfmon').why).toMatch(why);
  });

  it('a register that a call took', () => {
    const said = explained([
      asm.mov(R2, 1),
      asm.mov(R6, R1),
      asm.call(8),
      asm.mov(R0, R2),
      asm.exit(),
    ]);
    expect(said).toMatchObject({ lost: true });
    expect(said.why).toMatch(/a call came between/);
  });
});

it('nearly every small case has more than the message', () => {
  const refused = smallCases()
    .map((one) => ourVerdict(one, 2))
    .filter(({ accepted }) => !accepted);
  const bare = refused.filter(({ explanation }) => explanation?.cure === '');
  const messages = bare.map(({ message }) => message);
  expect(messages.length, messages.join('\n')).toBeLessThan(refused.length * 0.08);
});
