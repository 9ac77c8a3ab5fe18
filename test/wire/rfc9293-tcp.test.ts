import { expect, test } from 'vitest';
import { findOption, optionKind, optionNext } from '../../src/wire/options.ts';
import {
  setTcpAck,
  setTcpCheck,
  setTcpDstPort,
  setTcpFlags,
  setTcpHeaderLen,
  setTcpSeq,
  setTcpSrcPort,
  setTcpUrgent,
  setTcpWindow,
  TCP_HLEN_MIN,
  TCP_ACK,
  TCP_CWR,
  TCP_ECE,
  TCP_FIN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  TCP_URG,
  tcpAck,
  tcpCheck,
  tcpDstPort,
  tcpFlags,
  tcpHeaderLen,
  TCPOPT_EOL,
  TCPOPT_MSS,
  TCPOPT_NOP,
  TCPOPT_SACK,
  TCPOPT_SACK_PERM,
  TCPOPT_TIMESTAMP,
  TCPOPT_WINDOW,
  tcpSeq,
  tcpSrcPort,
  tcpUrgent,
  tcpWindow,
} from '../../src/wire/tcp.ts';
import { hex, toHex } from './bytes.ts';
import { tcpSyn } from './realFrames.ts';

const TCP = 14 + 20;

test('the fields of a real SYN lie where RFC 9293 puts them', () => {
  const view = tcpSyn();
  expect([tcpSrcPort(view, TCP), tcpDstPort(view, TCP)]).toEqual([33779, 53]);
  expect([tcpSeq(view, TCP), tcpAck(view, TCP)]).toEqual([0x23fec80c, 0]);
  expect([tcpHeaderLen(view, TCP), tcpFlags(view, TCP)]).toEqual([40, TCP_SYN]);
  expect([tcpWindow(view, TCP), tcpCheck(view, TCP)]).toEqual([64240, 0x0c41]);
  expect(tcpUrgent(view, TCP)).toBe(0);
});

test('RFC 9293 figure 1: the flags from CWR, the highest bit, down to FIN', () => {
  const order = [TCP_CWR, TCP_ECE, TCP_URG, TCP_ACK, TCP_PSH, TCP_RST, TCP_SYN, TCP_FIN];
  expect(order).toEqual([128, 64, 32, 16, 8, 4, 2, 1]);
});

test('the options of a real SYN are walked in order', () => {
  const view = tcpSyn();
  const end = TCP + tcpHeaderLen(view, TCP);
  const kinds = [];
  let at = TCP + TCP_HLEN_MIN;
  for (; at >= 0 && at < end; at = optionNext(view, at, end)) kinds.push(optionKind(view, at));
  const expected = [TCPOPT_MSS, TCPOPT_SACK_PERM, TCPOPT_TIMESTAMP, TCPOPT_NOP, TCPOPT_WINDOW];
  expect(kinds).toEqual(expected);
  expect(at).toBe(end);
  expect(view.getUint16(findOption(view, TCP + TCP_HLEN_MIN, end, TCPOPT_MSS) + 2)).toBe(1460);
  expect(findOption(view, TCP + TCP_HLEN_MIN, end, TCPOPT_SACK)).toBe(-1);
});

test('nothing counts after the end of the list', () => {
  const view = hex('01 00 02 04 05b4');
  expect(findOption(view, 0, 6, TCPOPT_EOL)).toBe(1);
  expect(findOption(view, 0, 6, TCPOPT_MSS)).toBe(-1);
});

test('writers fill exactly their fields', () => {
  const view = hex('00'.repeat(20));
  setTcpSrcPort(view, 0, 0x0102);
  setTcpDstPort(view, 0, 0xf304);
  setTcpSeq(view, 0, 0xf5060708);
  setTcpAck(view, 0, 0xf90a0b0c);
  setTcpHeaderLen(view, 0, 60);
  setTcpFlags(view, 0, 0x5a);
  setTcpWindow(view, 0, 0x0d0e);
  setTcpCheck(view, 0, 0xff10);
  setTcpUrgent(view, 0, 0x1112);
  expect(toHex(view)).toBe('0102f304f5060708f90a0b0cf05a0d0eff101112');
});
