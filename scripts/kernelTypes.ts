/**
 * Writes src/xdp/loader/core/kernelTypes.ts from a kernel's type information:
 *
 *   npx tsx scripts/kernelTypes.ts /sys/kernel/btf/vmlinux
 *
 * Packet headers and what XDP programs are given, whole; of the kernel's large structs the members
 * listed here.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import type { Btf } from '../src/xdp/btf/btf.ts';
import { readBtfFile } from '../src/xdp/btf/btf.ts';
import type { BtfComposite, BtfEnum, BtfMember, BtfType } from '../src/xdp/btf/types.ts';
import { isComposite } from '../src/xdp/btf/types.ts';

const STRUCTS =
  'xdp_md xdp_buff xdp_rxq_info xdp_txq_info xdp_frame xdp_mem_info ethhdr vlan_hdr vlan_ethhdr ' +
  'arphdr iphdr ipv6hdr ipv6_opt_hdr ipv6_rt_hdr frag_hdr tcphdr udphdr icmphdr icmp6hdr sctphdr ' +
  'gre_base_hdr gre_full_hdr vxlanhdr genevehdr ip_esp_hdr ip_auth_hdr mpls_shim_hdr mpls_label ' +
  'pppoe_hdr ptp_header in_addr in6_addr sockaddr_in bpf_fib_lookup bpf_sock_tuple bpf_sock ' +
  'bpf_redir_neigh bpf_devmap_val bpf_cpumap_val bpf_spin_lock bpf_timer bpf_dynptr bpf_iter_num ' +
  'icmpv6_echo icmpv6_nd_advt icmpv6_nd_ra bpf_lpm_trie_key_hdr port_identity clock_identity pppoe_tag ' +
  'bpf_perf_event_value bpf_xdp_sock bpf_lpm_trie_key_u8 bpf_ct_opts __sk_buff net_device nf_conn ' +
  'task_struct';

const ENUMS =
  'xdp_action xdp_rss_hash_type bpf_check_mtu_flags bpf_adj_room_mode bpf_map_type bpf_func_id ' +
  'bpf_prog_type bpf_attach_type';

/** Members of structs that are not taken whole. */
const PARTS: Readonly<Record<string, string>> = {
  net_device:
    'name ifindex mtu flags type hard_header_len min_header_len needed_headroom addr_len dev_addr ' +
    'perm_addr features num_rx_queues real_num_rx_queues num_tx_queues real_num_tx_queues group ' +
    'xdp_features promiscuity operstate',
  nf_conn: 'status mark timeout',
  task_struct: 'flags prio exit_code pid tgid real_parent parent group_leader start_time comm',
};

class Writer {
  private readonly btf: Btf;
  private readonly done = new Map<number, string>();
  private readonly lines: string[] = [];
  private unnamed = 0;

  constructor(btf: Btf) {
    this.btf = btf;
  }

  write(): string[] {
    for (const name of STRUCTS.split(' ')) {
      const struct = this.btf.find(name, 'struct');
      if (struct !== null) this.composite(struct, PARTS[name]?.split(' '));
    }
    for (const name of ENUMS.split(' ')) {
      const found = this.btf.find(name, 'enum');
      if (found !== null) this.lines.push(enumLine(found));
    }
    return this.lines;
  }

  /** @returns how members mention it */
  private composite(type: BtfComposite, only?: readonly string[]): string {
    const known = this.done.get(type.id);
    if (known !== undefined) return known;
    const name = type.name === '' ? `#${++this.unnamed}` : type.name;
    this.done.set(type.id, `${type.kind}.${name}`);
    const members = type.members.filter((m) => only === undefined || only.includes(m.name));
    const at = this.lines.push('') - 1;
    const parts = members.map((member) => this.member(member));
    this.lines[at] = [type.kind, name, type.size, ...parts].join(' ');
    return `${type.kind}.${name}`;
  }

  private member({ name, type, bitOffset, bits }: BtfMember): string {
    return `${name}:${this.mention(type)}@${bitOffset}${bits === 0 ? '' : `:${bits}`}`;
  }

  private mention(id: number): string {
    const type = this.btf.resolve(id);
    if (type.kind === 'array') return withCount(this.mention(type.type), type.count);
    if (type.kind === 'ptr') return this.pointer(this.btf.resolve(type.type));
    if (type.kind === 'enum') return `${type.signed ? 's' : 'u'}${type.size * 8}`;
    if (isComposite(type)) return this.nested(type);
    if (type.kind !== 'int') throw new Error(`a member of kind ${type.kind}`);
    return type.bool ? 'bool' : `${type.signed ? 's' : 'u'}${type.size * 8}`;
  }

  /** What it points to is said of structs that are described. */
  private pointer({ kind, name }: BtfType): string {
    return kind === 'struct' && STRUCTS.split(' ').includes(name) ? `*struct.${name}` : '*';
  }

  /** The kernel's own structs are opaque inside others: bytes of their size. */
  private nested(type: BtfComposite): string {
    const wanted = type.name === '' || STRUCTS.split(' ').includes(type.name);
    return wanted ? this.composite(type, PARTS[type.name]?.split(' ')) : `u8[${type.size}]`;
  }
}

/** C writes the outer dimension first; a described array the inner one. */
const withCount = (element: string, count: number): string => `${element}[${count}]`;

const enumLine = ({ name, size, values }: BtfEnum): string =>
  ['enum', name, size, ...values.map((v) => `${v.name}=${v.value}`)].join(' ');

const path = process.argv[2] ?? '/sys/kernel/btf/vmlinux';
const lines = new Writer(readBtfFile(new Uint8Array(readFileSync(path)), path)).write();
const out = new URL('../src/xdp/loader/core/kernelTypes.ts', import.meta.url);
const version = release().replace(/^(\d+\.\d+).*$/, '$1');
writeFileSync(
  out,
  `/**
 * The kernel's types that XDP programs touch, as Linux ${version} for x86-64 lays them out; what CO-RE
 * relocates against where no other kernel's types are given. \`describedTypes.ts\` says how to read
 * it. Written by scripts/kernelTypes.ts.
 */
export const KERNEL_TYPES: readonly string[] = [
${lines.map((line) => `  '${line}',`).join('\n')}
];
`,
);
execFileSync('npx', ['prettier', '--write', out.pathname]);
