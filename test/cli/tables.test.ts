import pc from 'picocolors';
import { describe, expect, test } from 'vitest';
import { runTables } from '../../src/cli/tables.ts';
import type { RunReport } from '../../src/lab/report.ts';

const plain = pc.createColors(false);

const REPORT: RunReport = {
  version: 1,
  seed: 1,
  virtualNs: 6_720_430,
  settledNs: 6_720_430,
  wallMs: 80,
  conserved: true,
  imbalance: { nic: 0, driver: 0, tx: 0, up: 0 },
  run: {
    xdp: 'l4lb',
    xdpPeer: 'pass',
    traffic: 'udp size=64 rate=14.88Mpps',
    clock: 'wire',
    nics: 2,
    linkGbps: 100,
    queues: 2,
    rxRing: 511,
    cpus: 2,
    budget: 64,
    profile: 'flat',
    check: true,
    settings: {
      txRing: 511,
      mtu: 1500,
      rxUsecs: 10,
      rxFrames: 15,
      txUsecs: 28,
      adaptiveRx: false,
      rxvlan: true,
      hz: 250,
      netdevBudget: 300,
      threaded: false,
      busyPoll: 0,
      groFlushTimeout: 0,
      napiDeferHardIrqs: 0,
      netdevBudgetUsecs: 8000,
      stack: true,
      ipForward: false,
      irqAffinity: null,
      threadCpus: null,
      appCpus: null,
      appThreads: 1,
      appsPlaced: false,
      apps: '',
      indirBy: null,
      queuesAlike: true,
    },
    offer: { flows: 1, topFlowPct: 100, taggedPct: 0 },
  },
  packets: {
    offered: 100_000,
    received: 99_000,
    xdpDrop: 1,
    xdpAborted: 0,
    xdpTx: 90_000,
    xdpRedirect: 0,
    xdpPass: 8_989,
    noProgram: 0,
    toStack: 8_989,
    forwarded: 0,
    stackTx: 0,
    onWire: 90_000,
    toOther: 0,
    xdpCloned: 0,
    cpumapPass: 0,
    lost: { txRingFull: 10, noBuffer: 1000 },
  },
  rates: { offeredPps: 14_880_000, receivedPps: 14_731_200, onWirePps: 999_500 },
  clients: null,
  stagesNs: {},
  timeline: null,
  pagePool: {
    allocFast: 9900,
    allocSlow: 100,
    allocEmpty: 0,
    allocRefill: 140,
    recycleCached: 1000,
    recycleCacheFull: 0,
    recycleRing: 7000,
    recycleRingFull: 0,
    fastPct: 0,
    cachedPct: 0,
  },
  latencyNs: {
    count: 99_000,
    mean: 812,
    p50: 790,
    p90: 1240,
    p99: 15_500,
    p999: 151_000,
    max: 3_100_000,
  },
  napi: {
    polls: 2000,
    fullPolls: 500,
    packetsPerPoll: 49.5,
    irqs: 1500,
    packetsPerIrq: 1,
    longestFullRun: 0,
    longestPollNs: 0,
    longestWaitNs: 0,
    timerIrqs: 0,
    busyPolls: 0,
    busyPackets: 0,
    pollsByPackets: {},
    timeSqueeze: 2,
    budgetSqueeze: 1,
    endedBy: { budget: 500, empty: 1490, busy: 0, txWake: 10 },
  },
  queues: [
    {
      nic: 'eth0',
      queue: 0,
      cpu: 0,
      irqCpu: 0,
      dim: null,
      txDim: null,
      packets: 49_000,
      sharePct: 49.49,
      latencyNs: { count: 49_000, mean: 0, p50: 0, p90: 0, p99: 1500, p999: 0, max: 0 },
      polls: 1000,
      fullPolls: 500,
      packetsPerPoll: 49,
      irqs: 500,
      packetsPerIrq: 1,
      longestFullRun: 0,
      longestPollNs: 0,
      longestWaitNs: 0,
      timerIrqs: 0,
      busyPolls: 0,
      busyPackets: 0,
      pollsByPackets: {},
      endedBy: { budget: 500, empty: 500, busy: 0, txWake: 0 },
    },
    {
      nic: 'eth0',
      queue: 1,
      cpu: 1,
      irqCpu: 1,
      dim: null,
      txDim: null,
      packets: 50_000,
      sharePct: 50.51,
      latencyNs: { count: 0, mean: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 },
      polls: 1000,
      fullPolls: 0,
      packetsPerPoll: 50,
      irqs: 1000,
      packetsPerIrq: 1,
      longestFullRun: 0,
      longestPollNs: 0,
      longestWaitNs: 0,
      timerIrqs: 0,
      busyPolls: 0,
      busyPackets: 0,
      pollsByPackets: {},
      endedBy: { budget: 0, empty: 990, busy: 0, txWake: 10 },
    },
  ],
  devmapXmits: { calls: 0, frames: 0, single: 0, most: 16 },
  costs: [],
  cache: { packetMissPct: 0, countedMissPct: 0, writeMissPct: 0 },
  cpus: [
    {
      id: 0,
      busyPct: 100,
      hardirqPct: 25,
      softirqPct: 50,
      ksoftirqdPct: 25,
      napiThreadPct: 0,
      appPct: 0,
    },
    {
      id: 1,
      busyPct: 12.5,
      hardirqPct: 0,
      softirqPct: 12.5,
      ksoftirqdPct: 0,
      napiThreadPct: 0,
      appPct: 0,
    },
  ],
  pages: { allocated: 2044, pool: 20, rings: 2024, inFlight: 0, leaked: 0 },
  ethtool: {},
  softnet: [],
  sockets: [],
  snmp: {},
  drops: {},
  unsent: {},
  log: [],
  printed: { count: 0, lines: [] },
  programs: [],
  nics: [],
  shown: {},
  findings: [],
  notes: ['capture: 3 frames captured with the FCS'],
};

test('what the stack made and no device had is told, by its reason', () => {
  const text = runTables({ ...REPORT, unsent: { NEIGH_FAILED: 992, NEIGH_QUEUEFULL: 8 } }, plain);
  expect(text).toContain('  never sent      1,000   1.00 %\n');
  expect(text).toMatch(/NEIGH_FAILED +992 {2}ip -s ntable: res_failed\n/);
});

test('clients that got no answer have no round trip', () => {
  const clients = {
    ...{ transactions: 0, perSecond: 0, sent: 5, timeouts: 5 },
    roundTripNs: { count: 0, mean: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 },
  };
  const text = runTables({ ...REPORT, clients }, plain);
  expect(text).toMatch(/round trip( +-){6}\n {2}0 answers, 0 a second, 5 timeouts/);
  const silent = { ...clients, sent: 0, timeouts: 0 };
  const nobody = runTables({ ...REPORT, clients: silent }, plain);
  expect(nobody).toContain('clients: none sent a request before the traffic was over');
  expect(nobody).not.toContain('round trip');
});

test('a run reads from what was run to whether it adds up', () => {
  expect(runTables(REPORT, plain)).toBe(`l4lb  100,000 packets in 6.72 ms of virtual time
udp size=64 rate=14.88Mpps
2 × 100 Gb/s · 2 queues · RX ring 511 · 2 CPUs · NAPI weight 64 · profile flat · seed 1 · checked

  packets         count    share        rate
  offered       100,000    100 %  14.88 Mpps
  received       99,000  99.00 %  14.73 Mpps
    XDP_DROP          1  <0.01 %
    XDP_TX       90,000  90.00 %
    XDP_PASS      8,989   8.99 %
  to the stack    8,989   8.99 %
  on the wire    90,000  90.00 %  999.5 kpps
  lost            1,010   1.01 %

  lost by cause  count   share  what Linux counts
  noBuffer       1,000  1.00 %  ethtool [i]: rx_discards
  txRingFull        10  0.01 %  tracepoint xdp:xdp_exception

  latency            mean     p50      p90       p99   p99.9      max
  wire to verdict  812 ns  790 ns  1.24 µs  15.50 µs  151 µs  3.10 ms

  NAPI    CPU  polls    full  packets/poll   irqs  budget   empty  busy     TX  packets      p99
  eth0-0    0  1,000  50.0 %          49.0    500  50.0 %  50.0 %   0 %    0 %   49.5 %  1.50 µs
  eth0-1    1  1,000     0 %          50.0  1,000     0 %  99.0 %   0 %  1.0 %   50.5 %        -
  all 2        2,000  25.0 %          49.5  1,500  25.0 %  74.5 %   0 %  0.5 %
  time_squeeze 2

  CPU    busy  hardirq  softirq  ksoftirqd  app
    0   100 %   25.0 %   50.0 %     25.0 %  0 %  ▒▒▒▒▒▒████████████▓▓▓▓▓▓
    1  12.5 %      0 %   12.5 %        0 %  0 %  ███·····················

  pages  2,044 allocated: 20 in pools, 2,024 in rings, 0 in flight, leaked 0
  page_pool  10,000 taken: 99.00 % fast (cache), 1.00 % slow (new), 140 refills from the ring
             8,000 recycled: 12.50 % to the cache, 87.50 % to the ring, 0 to a full ring

  capture: 3 frames captured with the FCS

  conserved: every packet accounted for
`);
});

test('rings that DIM moderates', () => {
  const profiles = [1, 8, 64, 128, 256].map((usecs) => ({ usecs, frames: 256 }));
  const books = { profiles, up: 12, down: 10, asSetPct: 1.25, profilesPct: [0, 20, 70.5, 8.25, 0] };
  const [first, second] = REPORT.queues;
  const queues = [
    { ...first!, dim: { ...books, profile: 2 } },
    { ...second!, dim: { ...books, profile: null, up: 0, down: 0 } },
  ];
  const lines = runTables({ ...REPORT, queues }, plain).split('\n');
  const at = lines.findIndex((line) => line.startsWith('  DIM'));
  expect(lines.slice(at, at + 4)).toEqual([
    '  DIM     at the end  up  down  as set  1 µs    8 µs   64 µs  128 µs  256 µs',
    '  eth0-0       64 µs  12    10   1.3 %   0 %  20.0 %  70.5 %   8.3 %     0 %',
    '  eth0-1      as set   0     0   1.3 %   0 %  20.0 %  70.5 %   8.3 %     0 %',
    '',
  ]);
});

test('rings that DIM has moved where they send stand in a table of their own', () => {
  const profiles = [1, 8, 32, 64, 128].map((usecs) => ({ usecs, frames: 64 }));
  const books = { profiles, profile: 1, down: 0, asSetPct: 0, profilesPct: [0, 100, 0, 0, 0] };
  const [first, second] = REPORT.queues;
  const queues = [
    { ...first!, txDim: { ...books, up: 1 } },
    { ...second!, txDim: { ...books, up: 0 } },
  ];
  const lines = runTables({ ...REPORT, queues }, plain).split('\n');
  const at = lines.findIndex((line) => line.startsWith('  DIM'));
  expect(lines.slice(at, at + 3)).toEqual([
    '  DIM, sent  at the end  up  down  as set  1 µs   8 µs  32 µs  64 µs  128 µs',
    '  eth0-0           8 µs   1     0     0 %   0 %  100 %    0 %    0 %     0 %',
    '',
  ]);
});

test('of what programs printed the last ten lines are shown', () => {
  const lines = Array.from({ length: 12 }, (_, i) => ({
    ...{ cpu: 3, virtualNs: 1_234_567_890 + i * 1000, text: `line ${i}\u001b` },
  }));
  const shown = (count: number, of = lines): string[] =>
    runTables({ ...REPORT, printed: { count, lines: of } }, plain)
      .split('\n')
      .filter((line) => /printed|line \d/.test(line));
  expect(shown(2, lines.slice(0, 2))).toEqual([
    '  printed by programs',
    '  [003] 1.234568: line 0\\x1b',
    '  [003] 1.234569: line 1\\x1b',
  ]);
  const many = shown(5000);
  expect(many[0]).toBe('  printed by programs, the last 10 of 5000');
  expect(many).toHaveLength(11);
  expect(many.at(-1)).toContain('line 11');
});

test('a socket table says of failed sends when there are any', () => {
  const socket = {
    ...{ kind: 'server', port: 7, cpu: 1, received: 10, receivedBytes: 100, drops: 0, unread: 0 },
    ...{
      rmemMax: 0,
      rcvbuf: 4096,
      sent: 8,
      wakeups: 3,
      migrations: 0,
      reads: 5,
      waitedNs: REPORT.latencyNs,
    },
  };
  const lines = (sendErrors: number): string[] =>
    runTables({ ...REPORT, sockets: [{ ...socket, sendErrors, recvErrors: 0 }] }, plain)
      .split('\n')
      .filter((line) => line.includes('socket') || line.includes('server:7'))
      .map((line) => line.trim().replace(/ {2,}/g, ' | '));
  expect(lines(0)[0]).not.toContain('failed');
  expect(lines(2)[0]).toContain('| sent | failed | wake-ups |');
  expect(lines(2)[1]).toContain('| 8 | 2 |');
});

describe('what does not add up is said, rule by rule', () => {
  test.each([
    [
      { imbalance: { nic: 3, driver: 0, tx: 0, up: 0 } },
      'offered = received + lost in the NIC is off by 3',
    ],
    [
      { imbalance: { nic: 0, driver: -1, tx: 0, up: 0 } },
      'received = outcomes + lost in the driver is off by -1',
    ],
    [{ pages: { ...REPORT.pages, leaked: 1 } }, '1 page leaked'],
  ])('%o', (changed, rule) => {
    const text = runTables({ ...REPORT, ...changed, conserved: false }, plain);
    expect(text).toContain(`  not conserved: ${rule}\n`);
    expect(text).not.toContain('every packet accounted for');
  });
});

test('a run of nothing has no shares, and no tables of nothing', () => {
  const none = {
    ...REPORT.packets,
    offered: 0,
    received: 0,
    xdpDrop: 0,
    xdpTx: 0,
    xdpPass: 0,
    toStack: 0,
    onWire: 0,
    lost: {},
  };
  const text = runTables(
    {
      ...REPORT,
      packets: none,
      latencyNs: { count: 0, mean: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 },
      napi: { ...REPORT.napi, polls: 0 },
      queues: [],
    },
    plain,
  );
  expect(text).toMatch(/offered +0 +0 %/);
  expect(text).not.toMatch(/NaN|NAPI {2}|latency|lost by cause/);
});

test('nine or more queues are shown as their sum', () => {
  const queues = Array.from({ length: 9 }, (_, queue) => ({ ...REPORT.queues[0]!, queue }));
  const text = runTables({ ...REPORT, queues }, plain);
  expect(text).toContain('  all 9');
  expect(text).not.toContain('eth0-8');
});

test('without colours there are no escape sequences, with them columns stay aligned', () => {
  const coloured = runTables(REPORT, pc.createColors(true));
  expect(coloured).toContain('\u001b[');
  // eslint-disable-next-line no-control-regex
  expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(runTables(REPORT, plain));
});
