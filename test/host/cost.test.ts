import { describe, expect, test } from 'vitest';
import * as cost from '../../src/host/cost.ts';
import { numbered } from './numbered.ts';
import { FLAT, PROFILES } from '../../src/host/profiles.ts';
import { OP_COUNT, costTable, nsToPs } from '../../src/host/cost.ts';

/** Each operation and the name it has in every profile. */
const NAMES: Readonly<Record<string, string>> = {
  OP_HARDIRQ: 'hardirq entry and exit',
  OP_SOFTIRQ: 'softirq entry and exit',
  OP_NAPI_POLL: 'napi poll',
  OP_DMA_RMB: 'completion read (dma_rmb)',
  OP_DMA_SYNC: 'dma sync',
  OP_BD_POST: 'BD post',
  OP_DOORBELL: 'doorbell',
  OP_TX_DOORBELL: 'TX doorbell',
  OP_PAGE_FRAGMENT: 'page fragment',
  OP_PAGE_POOL_CACHE: 'page_pool cache',
  OP_PAGE_POOL_RING: 'page_pool ring',
  OP_PAGE_ALLOC: 'page alloc',
  OP_XDP_RUN: 'XDP program',
  OP_XDP_XMIT: 'XDP transmit',
  OP_XMIT_CALL: 'XDP transmit call',
  OP_XDP_REDIRECT: 'XDP redirect',
  OP_DMA_MAP: 'dma map or unmap',
  OP_FRAME_RETURN: 'frame return',
  OP_SKB_ALLOC: 'skb alloc',
  OP_SKB_FREE: 'skb free',
  OP_COPY_64B: 'copy, per 64 bytes',
  OP_GRO_RECEIVE: 'GRO receive',
  OP_NETIF_RECEIVE: 'netif_receive_skb',
  OP_DEV_QUEUE_XMIT: 'dev_queue_xmit',
  OP_START_XMIT: 'start_xmit',
  OP_BACKLOG: 'backlog, in or out',
  OP_IP_RCV: 'IP receive',
  OP_NF_HOOK: 'netfilter hook',
  OP_UDP_RCV: 'UDP receive',
  OP_ICMP_RCV: 'ICMP receive',
  OP_ARP_RCV: 'ARP or ND receive',
  OP_IP_OUTPUT: 'IP output',
  OP_SOCK_QUEUE: 'socket queue',
  OP_WAKE: 'wake-up',
  OP_SWITCH: 'context switch',
  OP_TIMER_IRQ: 'timer interrupt',
  OP_HRTIMER: 'hrtimer start',
  OP_IPI: 'inter-processor interrupt',
  OP_SYSCALL: 'system call',
  OP_SOCK_RECV: 'socket receive',
  OP_SOCK_SEND: 'socket send',
  OP_CSUM_64B: 'checksum, per 64 bytes',
  OP_PACKET_TOUCH: 'first touch of a packet',
  OP_STACK_COLD: 'stack entered cold',
  OP_STACK_TOUCH: 'first touch by the stack',
  OP_FIB_LOOKUP: 'route lookup',
  OP_IP_FORWARD: 'IP forward',
  OP_BPF_FIB_LOOKUP: 'bpf_fib_lookup',
  OP_CPUMAP_LOCK: 'cpumap queue lock',
  OP_CPUMAP_SLOT: 'cpumap queue slot',
  OP_SKB_BULK: 'skb alloc in bulk',
};
const OPS = numbered(cost, 'OP_');

describe('operations', () => {
  test('are numbered from 0 without a gap', () => {
    expect(OPS.map(([, op]) => op).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: OP_COUNT }, (_, op) => op),
    );
  });

  test.each(PROFILES.map((profile) => [profile.name, profile] as const))(
    'stand under their own numbers in profile %s, each with a cost and a source',
    (_, profile) => {
      const named = OPS.map(([name, op]) => [`OP_${name}`, profile.costs[op]?.op]);
      expect(Object.fromEntries(named)).toEqual(NAMES);
      expect(profile.costs.length).toBe(OP_COUNT);
      for (const { ns, source } of profile.costs) {
        expect(ns).toBeGreaterThanOrEqual(0);
        expect(source).not.toBe('');
      }
    },
  );
});

test('a table holds whole picoseconds', () => {
  const table = costTable(FLAT);
  expect(table.length).toBe(OP_COUNT);
  expect(table[cost.OP_DMA_RMB]).toBe(11_100);
  expect([...table].filter((ps) => !Number.isSafeInteger(ps))).toEqual([]);
  expect([nsToPs(0.0004), nsToPs(0.0006), nsToPs(67.2043)]).toEqual([0, 1, 67_204]);
});
