/** The counters of one ring pair and of the port; the NIC adds, the firmware reads. */
import type { CtxHwStats, PortStats } from './hsi/hwrm.ts';

type Counters<T> = { -readonly [K in keyof T]: number };

export class RingStats implements Counters<CtxHwStats> {
  rxUcastPkts = 0;
  rxMcastPkts = 0;
  rxBcastPkts = 0;
  rxDiscardPkts = 0;
  rxErrorPkts = 0;
  rxUcastBytes = 0;
  rxMcastBytes = 0;
  rxBcastBytes = 0;
  txUcastPkts = 0;
  txMcastPkts = 0;
  txBcastPkts = 0;
  txErrorPkts = 0;
  txDiscardPkts = 0;
  txUcastBytes = 0;
  txMcastBytes = 0;
  txBcastBytes = 0;
}

/** `rxGoodFrames` is what they leave: the firmware reckons it. */
export class PortCounters implements Counters<Omit<PortStats, 'rxGoodFrames'>> {
  rxOversizeFrames = 0;
  rxUndrszFrames = 0;
  rxFcsErrFrames = 0;
  rxStatDiscard = 0;
  txGoodFrames = 0;
}
