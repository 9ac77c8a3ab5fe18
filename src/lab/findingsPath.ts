/**
 * Findings on the ways packets take: redirects, tags that XDP does not see, pages that are not
 * recycled, interrupts that let packets wait, programs that fail.
 */
import type { Finding, FoundIn } from './finding.ts';
import { busiestPct, cure, lostBy, lostInAll } from './finding.ts';
import { count, duration, percent, plural, share } from './format.ts';
import { nextRing } from './findingsRing.ts';

const MOST_RX_RING = 8191;
/** Fewer say nothing about a mean. */
const FEW_FRAMES = 1000;
/** Pages that one slow allocation brings. */
const POOL_BULK = 64;
const IDLE_PCT = 50;
/** Nobody minds this. */
const SOON_NS = 5000;
/** A packet that waits longer than this for its interrupt is late. */
const LATE_NS = 20_000;

export function pathFindings(report: FoundIn): Finding[] {
  return [
    ...redirectFailed(report),
    ...smallBulks(report),
    ...hiddenTags(report),
    ...poolMisses(report),
    ...heldInterrupt(report),
    ...aborted(report),
    ...noListener(report),
    ...oversize(report),
  ];
}

function redirectFailed(report: FoundIn): Finding[] {
  const failed = lostBy(report, 'redirectFailed') + lostBy(report, 'redirectNoTarget');
  if (failed === 0) return [];
  const { nics, xdpPeer } = report.run;
  const says = `${plural(failed, 'redirect')} failed (${share(failed, report.packets.offered)}).`;
  if (nics > 1 && xdpPeer === 'none')
    return [
      {
        id: 'redirect-failed',
        kind: 'loss',
        packets: failed,
        says: `${says} bnxt has XDP TX rings only while a program is attached, and the other NICs have none.`,
        cures: [cure({ 'xdp-peer': 'pass' }, 'attaches one to them')],
      },
    ];
  return [
    {
      id: 'redirect-failed',
      kind: 'loss',
      packets: failed,
      says: `${says} The map entry is empty, or leads to a device that cannot take the frame.`,
      cures: [cure({}, 'fill the map (--maps, or --at "0 update …")')],
    },
  ];
}

function smallBulks(report: FoundIn): Finding[] {
  const { calls, frames, single, most } = report.devmapXmits;
  const average = frames / Math.max(1, calls);
  if (frames < FEW_FRAMES || average >= most / 2) return [];
  if (single > frames / 2) return [oneByOne(single, report.run.profile)];
  const { rxUsecs, rxFrames, adaptiveRx } = report.run.settings;
  const says =
    `Redirects leave ${average.toFixed(1)} at a time (xdp_devmap_xmit's bulk-average; up to ${most}): each call takes the ` +
    `TX lock. bnxt flushes after each pass over the completion ring, and one pass finds few packets.`;
  const full = report.napi.fullPolls > report.napi.polls / 4; // interrupts are rare then
  const cures =
    adaptiveRx || full
      ? []
      : [
          cure(
            {
              'rx-usecs': Math.max(50, rxUsecs * 4),
              'rx-frames': Math.min(63, Math.max(rxFrames * 4, 32)),
            },
            'lets more packets come together, for some latency',
          ),
        ];
  return [{ id: 'small-bulks', kind: 'cost', packets: 0, says, cures }];
}

function oneByOne(single: number, profile: string): Finding {
  const says =
    `${plural(single, 'frame')} were redirected without a map, each by a call and a doorbell of its own: ` +
    `bpf_redirect got no bulk queue before Linux 5.6, and profile ${profile} is older.`;
  const cures = [cure({}, 'redirect through a devmap')];
  return { id: 'redirect-one-by-one', kind: 'cost', packets: 0, says, cures };
}

function hiddenTags({ run }: FoundIn): Finding[] {
  const { taggedPct } = run.offer;
  if (taggedPct === 0 || run.xdp === 'none' || !run.settings.rxvlan) return [];
  const says =
    `${percent(taggedPct, 1)} of the frames carry a VLAN tag, which the NIC strips before ${run.xdp} sees them: ` +
    `the program takes them for untagged, and what it sends has lost its tag.`;
  const cures = [cure({ rxvlan: 'off' }, 'leaves the tag in the packet')];
  return [{ id: 'vlan-hidden', kind: 'trap', packets: 0, says, cures }];
}

function poolMisses(report: FoundIn): Finding[] {
  const { pagePool: pool, run } = report;
  const taken = pool.allocFast + pool.allocSlow * POOL_BULK;
  const filled = run.nics * run.queues * Math.ceil((run.rxRing + 1) / POOL_BULK) * 2;
  const misses = pool.allocSlow - filled;
  const findings: Finding[] = [];
  if (misses > filled && misses * POOL_BULK > taken / 100) {
    const says =
      `page_pool went to the page allocator ${count(misses)} times after the rings were filled: pages do not come back in time. ` +
      `${count(pool.recycleRingFull)} found its ring full, ${percent(pool.cachedPct, 1)} came back straight into its cache.`;
    const ring = nextRing(run.rxRing);
    const cures =
      pool.recycleRingFull > 0 && ring <= MOST_RX_RING
        ? [cure({ 'rx-ring': ring }, "lengthens the pool's ring with it")]
        : [];
    findings.push({ id: 'pool-misses', kind: 'cost', packets: 0, says, cures });
  }
  const back = pool.recycleCached + pool.recycleRing + pool.recycleRingFull;
  if (back >= FEW_FRAMES && pool.recycleRing > back / 2) {
    const why =
      report.devmapXmits.frames > report.packets.received / 2
        ? 'the NIC that sends a redirected frame frees its page in a poll of its own'
        : 'the price of an application elsewhere';
    const says =
      `${share(pool.recycleRing, back, 1)} of the pages came back through the pool's ring, not its cache: ` +
      `they were freed outside the poll or on another CPU, at about three times the cost: ${why}.`;
    findings.push({ id: 'pool-remote', kind: 'note', packets: 0, says, cures: [] });
  }
  return findings;
}

function heldInterrupt(report: FoundIn): Finding[] {
  const { latencyNs, run, napi } = report;
  const { rxUsecs, rxFrames, adaptiveRx, busyPoll, napiDeferHardIrqs } = run.settings;
  const groFlushTimeout = napiDeferHardIrqs > 0 ? run.settings.groFlushTimeout : 0; // else no timer runs
  const held = Math.max(rxUsecs * 1000, groFlushTimeout);
  const asleep =
    latencyNs.count >= FEW_FRAMES / 10 &&
    busiestPct(report) < IDLE_PCT &&
    lostInAll(report) === 0 &&
    napi.packetsPerIrq < rxFrames &&
    latencyNs.p50 > Math.max(held / 3, SOON_NS) &&
    latencyNs.p50 < held * 2;
  if (!asleep || adaptiveRx || busyPoll > 0) return [];
  const byTimer = groFlushTimeout > rxUsecs * 1000;
  const says =
    `Half of all packets waited ${duration(latencyNs.p50)} or longer while no CPU is busier than ${percent(busiestPct(report), 1)}: ` +
    (byTimer
      ? `interrupts are deferred, and the timer (gro_flush_timeout ${duration(groFlushTimeout)}) comes late for ${napi.packetsPerPoll} packets.`
      : `the NIC holds its interrupt for rx-usecs ${rxUsecs}, since rx-frames ${rxFrames} do not come together in that time (${napi.packetsPerIrq} do).`);
  const cures = byTimer
    ? [cure({ 'gro-flush-timeout': Math.round(groFlushTimeout / 4) }, 'polls sooner')]
    : [
        cure(
          { 'rx-usecs': rxUsecs > 4 ? Math.round(rxUsecs / 4) : 0 },
          'interrupts sooner, for more CPU time',
        ),
      ];
  return [
    {
      id: 'interrupt-held',
      kind: latencyNs.p50 > LATE_NS ? 'delay' : 'note',
      packets: 0,
      says,
      cures,
    },
  ];
}

function aborted({ packets, run }: FoundIn): Finding[] {
  const n = packets.xdpAborted + (packets.lost['invalidVerdict'] ?? 0);
  if (n === 0) return [];
  const says = `${run.xdp} ended ${plural(n, 'run')} with XDP_ABORTED or no verdict at all (${share(n, packets.received)}): an error in the program (tracepoint xdp:xdp_exception).`;
  return [{ id: 'xdp-aborted', kind: 'loss', packets: n, says, cures: [] }];
}

function noListener(report: FoundIn): Finding[] {
  const n = lostBy(report, 'NO_SOCKET');
  if (n === 0) return [];
  const says = `${plural(n, 'packet')} for which no application listens (SKB_DROP_REASON_NO_SOCKET).`;
  const cures =
    report.sockets.length === 0 && report.clients === null
      ? [cure({ apps: 'sink:9' }, 'listens on UDP port 9')]
      : []; // clients want an answer, which has a finding of its own
  return [{ id: 'no-listener', kind: 'note', packets: 0, says, cures }];
}

const MOST_MTU = 3502;

function oversize(report: FoundIn): Finding[] {
  const n = lostBy(report, 'rxOversize');
  if (n === 0) return [];
  const { mtu } = report.run.settings;
  const says = `${plural(n, 'frame')} (${share(n, report.packets.offered)}) are longer than the MTU of ${mtu} lets in; the MAC drops them.`;
  const cures =
    mtu < MOST_MTU ? [cure({ mtu: MOST_MTU }, 'lets in what XDP in one page can hold')] : [];
  return [{ id: 'oversize', kind: 'loss', packets: n, says, cures }];
}
