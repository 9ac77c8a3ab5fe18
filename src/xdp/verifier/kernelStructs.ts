/**
 * Structs of the kernel that programs read through pointers, as Linux 6.18 for x86-64 lays them out:
 * what stands behind pointers to maps, frames and connections.
 *
 *   name@24+8    eight bytes from byte 24        name@24*target   a pointer to a struct of the kernel
 *   name@24+*    open to the end                 name@24*         a pointer to something else
 *   &bpf_map     begins with that struct
 *
 * Other structs inside are taken apart: messages name the innermost member, but the outer struct.
 *
 * @linux map_btf_id of struct bpf_map_ops; include/linux/bpf.h
 */
import {
  BPF_MAP_TYPE_ARENA,
  BPF_MAP_TYPE_BLOOM_FILTER,
  BPF_MAP_TYPE_CGROUP_STORAGE,
  BPF_MAP_TYPE_CGRP_STORAGE,
  BPF_MAP_TYPE_CPUMAP,
  BPF_MAP_TYPE_DEVMAP,
  BPF_MAP_TYPE_DEVMAP_HASH,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_HASH_OF_MAPS,
  BPF_MAP_TYPE_INODE_STORAGE,
  BPF_MAP_TYPE_LPM_TRIE,
  BPF_MAP_TYPE_LRU_HASH,
  BPF_MAP_TYPE_LRU_PERCPU_HASH,
  BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE,
  BPF_MAP_TYPE_PERCPU_HASH,
  BPF_MAP_TYPE_QUEUE,
  BPF_MAP_TYPE_REUSEPORT_SOCKARRAY,
  BPF_MAP_TYPE_RINGBUF,
  BPF_MAP_TYPE_SK_STORAGE,
  BPF_MAP_TYPE_SOCKHASH,
  BPF_MAP_TYPE_SOCKMAP,
  BPF_MAP_TYPE_STACK,
  BPF_MAP_TYPE_STACK_TRACE,
  BPF_MAP_TYPE_TASK_STORAGE,
  BPF_MAP_TYPE_USER_RINGBUF,
  BPF_MAP_TYPE_XSKMAP,
} from '../maps/uapi.ts';

const STRUCT_OF: ReadonlyMap<number, string> = new Map([
  [BPF_MAP_TYPE_HASH, 'bpf_htab'],
  [BPF_MAP_TYPE_PERCPU_HASH, 'bpf_htab'],
  [BPF_MAP_TYPE_LRU_HASH, 'bpf_htab'],
  [BPF_MAP_TYPE_LRU_PERCPU_HASH, 'bpf_htab'],
  [BPF_MAP_TYPE_HASH_OF_MAPS, 'bpf_htab'],
  [BPF_MAP_TYPE_LPM_TRIE, 'lpm_trie'],
  [BPF_MAP_TYPE_STACK_TRACE, 'bpf_stack_map'],
  [BPF_MAP_TYPE_DEVMAP, 'bpf_dtab'],
  [BPF_MAP_TYPE_DEVMAP_HASH, 'bpf_dtab'],
  [BPF_MAP_TYPE_SOCKMAP, 'bpf_stab'],
  [BPF_MAP_TYPE_SOCKHASH, 'bpf_shtab'],
  [BPF_MAP_TYPE_CPUMAP, 'bpf_cpu_map'],
  [BPF_MAP_TYPE_XSKMAP, 'xsk_map'],
  [BPF_MAP_TYPE_QUEUE, 'bpf_queue_stack'],
  [BPF_MAP_TYPE_STACK, 'bpf_queue_stack'],
  [BPF_MAP_TYPE_RINGBUF, 'bpf_ringbuf_map'],
  [BPF_MAP_TYPE_BLOOM_FILTER, 'bpf_bloom_filter'],
  [BPF_MAP_TYPE_USER_RINGBUF, 'bpf_ringbuf_map'],
  [BPF_MAP_TYPE_ARENA, 'bpf_arena'],
  [BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 'reuseport_array'],
  [BPF_MAP_TYPE_CGROUP_STORAGE, 'bpf_cgroup_storage_map'],
  [BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE, 'bpf_cgroup_storage_map'],
  [BPF_MAP_TYPE_SK_STORAGE, 'bpf_local_storage_map'],
  [BPF_MAP_TYPE_INODE_STORAGE, 'bpf_local_storage_map'],
  [BPF_MAP_TYPE_TASK_STORAGE, 'bpf_local_storage_map'],
  [BPF_MAP_TYPE_CGRP_STORAGE, 'bpf_local_storage_map'],
]);

/** Name of the struct behind a pointer to a map of this type. */
export const mapStructName = (type: number): string => STRUCT_OF.get(type) ?? 'bpf_array';

type Row = readonly [name: string, bytes: number, members: string];

const ROWS: readonly Row[] = [
  [
    'bpf_map',
    296,
    'sha@0+32 excl@32+4 ops@40*bpf_map_ops inner_map_meta@48*bpf_map security@56* ' +
      'map_type@64+4 key_size@68+4 value_size@72+4 max_entries@76+4 map_extra@80+8 ' +
      'map_flags@88+4 id@92+4 record@96*btf_record numa_node@104+4 btf_key_type_id@108+4 ' +
      'btf_value_type_id@112+4 btf_vmlinux_value_type_id@116+4 btf@120*btf ' +
      'objcg@128*obj_cgroup name@136+16 counter@152+8 counter@160+4 locked@160+1 ' +
      'pending@161+1 locked_pending@160+2 tail@162+2 counter@164+4 next@168*list_head ' +
      'prev@176*list_head counter@184+8 counter@192+8 counter@200+8 next@208*list_head ' +
      'prev@216*list_head func@224* next@200*callback_head func@208* counter@232+8 ' +
      'counter@240+4 locked@240+1 pending@241+1 locked_pending@240+2 tail@242+2 ' +
      'owner@248*bpf_map_owner bypass_spec_v1@256+1 frozen@257+1 init_private@258+1 ' +
      'free_after_mult_rcu_gp@259+1 free_after_rcu_gp@260+1 counter@264+8 elem_count@272* ' +
      'cookie@280+8 excl_prog_sha@288*',
  ],
  ['bpf_array', 312, '&bpf_map elem_size@296+4 index_mask@300+4 aux@304*bpf_array_aux'],
  [
    'bpf_htab',
    832,
    '&bpf_map caches@296*bpf_mem_caches cache@304*bpf_mem_cache objcg@312*obj_cgroup ' +
      'percpu@320+1 counter@328+8 next@336*list_head prev@344*list_head func@352* ' +
      'caches@360*bpf_mem_caches cache@368*bpf_mem_cache objcg@376*obj_cgroup percpu@384+1 ' +
      'counter@392+8 next@400*list_head prev@408*list_head func@416* buckets@424*bucket ' +
      'elems@432* freelist@448*pcpu_freelist_head lists@448+48 counts@496+8 ' +
      'next_inactive_rotation@504*list_head counter@512+4 locked@512+1 pending@513+1 ' +
      'locked_pending@512+2 tail@514+2 local_list@576*bpf_lru_locallist ' +
      'percpu_lru@448*bpf_lru_list del_from_htab@640* del_arg@648* hash_offset@656+4 ' +
      'target_free@660+4 nr_scans@664+4 percpu@668+1 extra_elems@704* counter@712+4 ' +
      'locked@712+1 pending@713+1 locked_pending@712+2 tail@714+2 count@720+8 ' +
      'next@728*list_head prev@736*list_head counters@744* counter@752+4 ' +
      'use_percpu_counter@756+1 n_buckets@760+4 elem_size@764+4 hashrnd@768+4',
  ],
  [
    'lpm_trie',
    400,
    '&bpf_map root@296*lpm_trie_node caches@304*bpf_mem_caches cache@312*bpf_mem_cache ' +
      'objcg@320*obj_cgroup percpu@328+1 counter@336+8 next@344*list_head ' +
      'prev@352*list_head func@360* n_entries@368+8 max_prefixlen@376+8 data_size@384+8 ' +
      'counter@392+4 locked@392+1 pending@393+1 locked_pending@392+2 tail@394+2',
  ],
  [
    'bpf_dtab',
    344,
    '&bpf_map netdev_map@296* next@304*list_head prev@312*list_head ' +
      'dev_index_head@320*hlist_head counter@328+4 locked@328+1 pending@329+1 ' +
      'locked_pending@328+2 tail@330+2 items@332+4 n_buckets@336+4',
  ],
  ['bpf_cpu_map', 304, '&bpf_map cpu_map@296*'],
  [
    'bpf_stab',
    376,
    '&bpf_map sks@296* msg_parser@304*bpf_prog stream_parser@312*bpf_prog ' +
      'stream_verdict@320*bpf_prog skb_verdict@328*bpf_prog msg_parser_link@336*bpf_link ' +
      'stream_parser_link@344*bpf_link stream_verdict_link@352*bpf_link ' +
      'skb_verdict_link@360*bpf_link counter@368+4 locked@368+1 pending@369+1 ' +
      'locked_pending@368+2 tail@370+2',
  ],
  [
    'bpf_shtab',
    384,
    '&bpf_map buckets@296*bpf_shtab_bucket buckets_num@304+4 elem_size@308+4 ' +
      'msg_parser@312*bpf_prog stream_parser@320*bpf_prog stream_verdict@328*bpf_prog ' +
      'skb_verdict@336*bpf_prog msg_parser_link@344*bpf_link ' +
      'stream_parser_link@352*bpf_link stream_verdict_link@360*bpf_link ' +
      'skb_verdict_link@368*bpf_link counter@376+4',
  ],
  [
    'bpf_queue_stack',
    312,
    '&bpf_map counter@296+4 locked@296+1 pending@297+1 locked_pending@296+2 tail@298+2 ' +
      'head@300+4 tail@304+4 size@308+4 elements@312+*',
  ],
  ['bpf_ringbuf_map', 304, '&bpf_map rb@296*bpf_ringbuf'],
  [
    'bpf_bloom_filter',
    312,
    '&bpf_map bitset_mask@296+4 hash_seed@300+4 nr_hash_funcs@304+4 bitset@312+*',
  ],
  [
    'bpf_stack_map',
    320,
    '&bpf_map elems@296* freelist@304*pcpu_freelist_head n_buckets@312+4 buckets@320+*',
  ],
  [
    'bpf_cgroup_storage_map',
    328,
    '&bpf_map counter@296+4 locked@296+1 pending@297+1 locked_pending@296+2 tail@298+2 ' +
      'rb_node@304*rb_node next@312*list_head prev@320*list_head',
  ],
  [
    'bpf_local_storage_map',
    448,
    '&bpf_map buckets@296*bpf_local_storage_map_bucket bucket_log@304+4 elem_size@308+2 ' +
      'cache_idx@310+2 caches@312*bpf_mem_caches cache@320*bpf_mem_cache objcg@328*obj_cgroup percpu@336+1 counter@344+8 next@352*list_head prev@360*list_head func@368* ' +
      'caches@376*bpf_mem_caches cache@384*bpf_mem_cache objcg@392*obj_cgroup percpu@400+1 counter@408+8 next@416*list_head prev@424*list_head func@432* bpf_ma@440+1',
  ],
  ['reuseport_array', 296, '&bpf_map'],
  ['bpf_arena', 400, '&bpf_map user_vm_start@296+8 user_vm_end@304+8 kern_vm@312*vm_struct'],
  [
    'xsk_map',
    304,
    '&bpf_map counter@296+4 locked@296+1 pending@297+1 locked_pending@296+2 tail@298+2 ' +
      'counter@300+4 xsk_map@304+*',
  ],
  [
    'xdp_buff',
    56,
    'data@0* data_end@8* data_meta@16* data_hard_start@24* rxq@32*xdp_rxq_info ' +
      'txq@40*xdp_txq_info frame_sz@48+4 flags@52+4 frame_sz_flags_init@48+8',
  ],
  [
    'xdp_rxq_info',
    64,
    'dev@0*net_device queue_index@8+4 reg_state@12+4 type@16+4 id@20+4 frag_size@24+4',
  ],
  ['xdp_txq_info', 8, 'dev@0*net_device'],
  [
    'nf_conn',
    248,
    'counter@0+4 counter@4+4 locked@4+1 pending@5+1 locked_pending@4+2 tail@6+2 ' +
      'timeout@8+4 id@12+2 flags@14+1 dir@15+1 tuplehash@16+112 status@128+8 net@136*net ' +
      'next@144*hlist_node pprev@152* master@160*nf_conn mark@168+4 secmark@172+4 ' +
      'ext@176*nf_ct_ext state@184+4 vtag@188+8 init@196+2 last_dir@198+1 flags@199+1 ' +
      'seen@184+40 state@224+1 last_dir@225+1 retrans@226+1 last_index@227+1 last_seq@228+4 ' +
      'last_ack@232+4 last_end@236+4 last_win@240+2 last_wscale@242+1 last_flags@243+1 ' +
      'stream_ts@184+8 stream_timeout@184+4 timeout@188+4 tmpl_padto@184+4',
  ],
  [
    'nf_conn___init',
    248,
    'counter@0+4 counter@4+4 locked@4+1 pending@5+1 locked_pending@4+2 tail@6+2 ' +
      'timeout@8+4 id@12+2 flags@14+1 dir@15+1 tuplehash@16+112 status@128+8 net@136*net ' +
      'next@144*hlist_node pprev@152* master@160*nf_conn mark@168+4 secmark@172+4 ' +
      'ext@176*nf_ct_ext state@184+4 vtag@188+8 init@196+2 last_dir@198+1 flags@199+1 ' +
      'seen@184+40 state@224+1 last_dir@225+1 retrans@226+1 last_index@227+1 last_seq@228+4 ' +
      'last_ack@232+4 last_end@236+4 last_win@240+2 last_wscale@242+1 last_flags@243+1 ' +
      'stream_ts@184+8 stream_timeout@184+4 timeout@188+4 tmpl_padto@184+4',
  ],
];

export interface StructMember {
  readonly name: string;
  readonly at: number;
  readonly end: number;
  /** A pointer: the name of the struct it points to, '' for anything else; null: no pointer. */
  readonly target: string | null;
}

export interface KernelStruct {
  readonly name: string;
  readonly bytes: number;
  /** The struct that it begins with. */
  readonly first: KernelStruct | null;
  readonly members: readonly StructMember[];
}

const POINTER_BYTES = 8;
const STRUCTS = new Map<string, KernelStruct>();

function memberOf(word: string): StructMember {
  const [, name, at, kind, rest] = /^(\w+)@(\d+)([+*])(.*)$/.exec(word)!;
  const from = Number(at);
  const bytes = kind === '*' ? POINTER_BYTES : rest === '*' ? Infinity : Number(rest);
  return { name: name!, at: from, end: from + bytes, target: kind === '*' ? rest! : null };
}

/** @returns undefined for a struct that is not described here */
export function kernelStruct(name: string): KernelStruct | undefined {
  if (STRUCTS.size === 0) {
    for (const [struct, bytes, words] of ROWS) {
      const all = words.split(' ');
      const first = STRUCTS.get(all[0]!.slice(1)) ?? null;
      const members = all.slice(first === null ? 0 : 1).map(memberOf);
      const open = members.some(({ end }) => end === Infinity);
      STRUCTS.set(struct, { name: struct, bytes: open ? Infinity : bytes, first, members });
    }
  }
  return STRUCTS.get(name);
}
