/**
 * The trace catalogue and the typed ring its records go to.
 *
 * A point is a name, a level, its arguments and one sentence; text, timelines and pages are
 * readers of the same records. A record is six doubles, and the newest `capacity` of them are kept.
 */
import type { Ps } from './clock.ts';

export interface TracePoint {
  readonly name: string;
  /** 1 rare, 2 per interrupt or poll, 3 per packet, 4 per descriptor or page. */
  readonly level: 1 | 2 | 3 | 4;
  /** Up to three arguments, by name. */
  readonly args: readonly string[];
  readonly says: string;
  /** The kernel's own name for this event: a function, or `system:event` of a tracepoint. */
  readonly kernel: string;
}

export const TP_IRQ = 0;
export const TP_SOFTIRQ_ENTRY = 1;
export const TP_SOFTIRQ_EXIT = 2;
export const TP_NAPI_POLL = 3;
export const TP_NAPI_COMPLETE = 4;
export const TP_RX_PKT = 5;
export const TP_XDP_VERDICT = 6;
export const TP_XDP_EXCEPTION = 7;
export const TP_XDP_REDIRECT = 8;
export const TP_XDP_REDIRECT_ERR = 9;
export const TP_XDP_DEVMAP_XMIT = 10;
export const TP_XMIT_XDP = 11;
export const TP_TX_INT_XDP = 12;
export const TP_DOORBELL_RX = 13;
export const TP_DOORBELL_TX = 14;
export const TP_DOORBELL_CQ = 15;
export const TP_DELIVER_SKB = 16;
export const TP_NETIF_RECEIVE_SKB = 17;
export const TP_KFREE_SKB = 18;
export const TP_PAGE_POOL_ALLOC = 19;
export const TP_PAGE_POOL_PUT = 20;
export const TP_RESET = 21;
export const TP_NETDEV_OPEN = 22;
export const TP_NETDEV_CLOSE = 23;
export const TP_XDP_SET = 24;
export const TP_NIC_RX_DMA = 25;
export const TP_NIC_RX_DROP = 26;
export const TP_NIC_TX_DMA = 27;
export const TP_NET_DEV_QUEUE = 28;
export const TP_NET_DEV_XMIT = 29;
export const TP_START_XMIT = 30;
export const TP_TX_INT = 31;
export const TP_SOCK_QUEUE = 32;
export const TP_SOCK_RECV = 33;
export const TP_XDP_CPUMAP_ENQUEUE = 34;
export const TP_XDP_CPUMAP_KTHREAD = 35;
export const TP_DOORBELL_NQ = 36;

const tracePoint = (
  name: string,
  level: 1 | 2 | 3 | 4,
  args: readonly string[],
  kernel: string,
  says: string,
): TracePoint => ({ name, level, args, kernel, says });

/** Indexed by `TP_*`. */
export const TRACE_POINTS: readonly TracePoint[] = [
  tracePoint('irq', 2, ['napi'], 'irq:irq_handler_entry', 'an MSI-X message reached its CPU'),
  tracePoint('softirqEntry', 2, [], 'irq:softirq_entry', 'the CPU starts to work off NET_RX'),
  tracePoint('softirqExit', 2, ['squeezed'], 'irq:softirq_exit', 'net_rx_action gave the CPU back'),
  tracePoint(
    'napiPoll',
    2,
    ['napi', 'work', 'budget'],
    'napi:napi_poll',
    'one poll of one NAPI instance ended',
  ),
  tracePoint(
    'napiComplete',
    2,
    ['napi', 'work'],
    'napi_complete_done',
    'the driver told NAPI that its ring is empty',
  ),
  tracePoint(
    'rxPkt',
    3,
    ['cons', 'len', 'page'],
    'bnxt_rx_pkt',
    'the driver took a received packet off its ring',
  ),
  tracePoint(
    'xdpVerdict',
    3,
    ['action', 'len', 'page'],
    'bpf_prog_run_xdp',
    'the program decided what happens to this packet',
  ),
  tracePoint(
    'xdpException',
    1,
    ['prog', 'action', 'ifindex'],
    'xdp:xdp_exception',
    'a packet was lost to its verdict: aborted, unknown, or not to be carried out',
  ),
  tracePoint(
    'xdpRedirect',
    3,
    ['from', 'to', 'mapIndex'],
    'xdp:xdp_redirect',
    'a packet was queued for another device',
  ),
  tracePoint(
    'xdpRedirectErr',
    1,
    ['from', 'to', 'err'],
    'xdp:xdp_redirect_err',
    'a redirect was refused',
  ),
  tracePoint(
    'xdpDevmapXmit',
    2,
    ['to', 'sent', 'drops'],
    'xdp:xdp_devmap_xmit',
    'a bulk queue was handed to the target device',
  ),
  tracePoint(
    'xmitXdp',
    3,
    ['prod', 'len', 'page'],
    '__bnxt_xmit_xdp',
    'a packet was put on an XDP TX ring',
  ),
  tracePoint(
    'txIntXdp',
    2,
    ['from', 'to'],
    'bnxt_tx_int_xdp',
    'completed XDP transmissions were taken off the ring',
  ),
  tracePoint(
    'doorbellRx',
    2,
    ['prod'],
    'bnxt_db_write',
    'buffers up to prod belong to the NIC from here on',
  ),
  tracePoint(
    'doorbellTx',
    2,
    ['prod'],
    'bnxt_db_write',
    'descriptors up to prod may be transmitted',
  ),
  tracePoint(
    'doorbellCq',
    2,
    ['cons', 'arm'],
    'bnxt_db_cq',
    'completions up to cons are free again; arm asks for an interrupt',
  ),
  tracePoint(
    'deliverSkb',
    3,
    ['len', 'queue'],
    'bnxt_deliver_skb',
    'the driver handed an skb to the stack',
  ),
  tracePoint(
    'netifReceiveSkb',
    3,
    ['len', 'protocol'],
    'net:netif_receive_skb',
    'the stack took a packet',
  ),
  tracePoint(
    'kfreeSkb',
    3,
    ['len', 'reason'],
    'skb:kfree_skb',
    'the stack dropped a packet, and why',
  ),
  tracePoint(
    'pagePoolAlloc',
    4,
    ['page', 'where'],
    'page_pool_alloc_pages',
    'a page left the pool for a ring',
  ),
  tracePoint(
    'pagePoolPut',
    4,
    ['page', 'where'],
    'page_pool_put_unrefed_netmem',
    'a page came back to the pool',
  ),
  tracePoint(
    'reset',
    1,
    ['napi', 'what'],
    'bnxt_sched_reset_rxr',
    'a ring is broken and will be reset',
  ),
  tracePoint('open', 1, ['ifindex'], '__bnxt_open_nic', 'the device was opened'),
  tracePoint('close', 1, ['ifindex'], 'bnxt_close_nic', 'the device was closed'),
  tracePoint(
    'xdpSet',
    1,
    ['ifindex', 'attached'],
    'bnxt_xdp_set',
    'a program was attached or detached',
  ),
  tracePoint('rxDma', 3, ['queue', 'len', 'addr'], '', 'the NIC wrote a frame into a buffer'),
  tracePoint('rxDrop', 3, ['queue', 'len', 'cause'], '', 'the NIC lost a frame'),
  tracePoint(
    'txDma',
    3,
    ['ring', 'len', 'addr'],
    '',
    'the NIC read a frame, or a piece of one, to send it',
  ),
  tracePoint(
    'netDevQueue',
    3,
    ['ifindex', 'len'],
    'net:net_dev_queue',
    'the stack has a packet for a device',
  ),
  tracePoint(
    'netDevXmit',
    3,
    ['ifindex', 'len'],
    'net:net_dev_start_xmit',
    'a packet is handed to the driver',
  ),
  tracePoint(
    'startXmit',
    3,
    ['prod', 'len'],
    'bnxt_start_xmit',
    'a packet of the stack was put on a TX ring',
  ),
  tracePoint(
    'txInt',
    2,
    ['from', 'to'],
    'bnxt_tx_int',
    'completed packets of the stack were taken off the ring',
  ),
  tracePoint(
    'sockQueue',
    3,
    ['port', 'len', 'rmem'],
    '__udp_enqueue_schedule_skb',
    'a datagram waits in a socket',
  ),
  tracePoint('sockRecv', 3, ['port', 'len'], 'udp_recvmsg', 'an application read a datagram'),
  tracePoint(
    'xdpCpumapEnqueue',
    2,
    ['to', 'processed', 'drops'],
    'xdp:xdp_cpumap_enqueue',
    'a bulk queue was handed to another CPU',
  ),
  tracePoint(
    'xdpCpumapKthread',
    2,
    ['processed', 'drops', 'redirects'],
    'xdp:xdp_cpumap_kthread',
    "a cpumap's thread took frames",
  ),
  tracePoint(
    'doorbellNq',
    2,
    ['cons', 'arm'],
    'bnxt_db_nq',
    'notifications up to cons are free again; arm asks for an interrupt',
  ),
];

/** One record, as readers get it. */
export interface TraceRecord {
  readonly point: TracePoint;
  readonly at: Ps;
  /** CPU, or -1 for the NIC. */
  readonly cpu: number;
  readonly args: readonly number[];
}

const FIELDS = 6;

export class Trace {
  on = false;
  /** Points of a higher level are not recorded. */
  level = 4;
  private ring: Float64Array = new Float64Array(0);
  private written = 0;

  /** Start recording, keeping the newest `capacity` records. */
  start(capacity: number, level: number): void {
    this.ring = new Float64Array(capacity * FIELDS);
    this.written = 0;
    this.level = level;
    this.on = true;
  }

  record(id: number, at: Ps, cpu: number, a: number, b: number, c: number): void {
    if (!this.on || TRACE_POINTS[id]!.level > this.level) return;
    const ring = this.ring;
    const i = (this.written++ * FIELDS) % ring.length;
    ring[i] = id;
    ring[i + 1] = at;
    ring[i + 2] = cpu;
    ring[i + 3] = a;
    ring[i + 4] = b;
    ring[i + 5] = c;
  }

  /** Records that were overwritten before anybody read them. */
  get lost(): number {
    return Math.max(0, this.written - this.ring.length / FIELDS);
  }

  /** The records kept, oldest first. */
  *records(): Generator<TraceRecord> {
    for (let n = this.lost; n < this.written; n++) {
      const i = (n * FIELDS) % this.ring.length;
      const [id, at, cpu, ...args] = this.ring.subarray(i, i + FIELDS);
      const point = TRACE_POINTS[id!]!;
      yield { point, at: at!, cpu: cpu!, args: args.slice(0, point.args.length) };
    }
  }
}
