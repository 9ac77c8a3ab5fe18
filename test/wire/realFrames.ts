/**
 * A few real frames, so that tests need no file. From public BSD- and MIT-licensed test suites; each
 * names suite, file and packet.
 */
import { hex } from './bytes.ts';

/** zeek, testing/btest/Traces/arp-who-has.pcap, packet 2: a reply, Ethernet padding not zero. */
export const arpReply = (): DataView =>
  hex(
    '7831c1c63fc2 f8eda5c0a4f1 0806 0001 0800 06 04 0002',
    'f8eda5c0a4f1 0a000001 7831c1c63fc2 0a000002',
    '00000000000000000000000000 00 1f0b60ce',
  );

/** tcpdump, tests/802.1ad_QinQ.pcap, packet 2: service tag, customer tag, ARP reply. */
export const qinqArp = (): DataView =>
  hex(
    '0020d25afb3f 0080ea818863 88a8 00c8 8100 07d1 0806 0001 0800 06 04 0002',
    '0080ea818863 ac154f64 0020d25afb3f ac154f61 0000000000000000000000000000',
  );

/** zeek, testing/btest/Traces/q-in-q.pcap, packet 1: two 0x8100 tags, IPv4, UDP (BACnet). */
export const qinqUdp = (): DataView =>
  hex(
    'ffffffffffff 00c0e4012ced 8100 000d 8100 000a 0800',
    '4500 002e 4796 0000 40 11 749e ac133325 ac13333f',
    'bac0 bac0 001a b9da 810b00120120ffff00ff10080a1b591a1b59',
  );

/** tcpdump, tests/dns_tcp.pcap, packet 1: TCP SYN with five options. */
export const tcpSyn = (): DataView =>
  hex(
    '001122334466 001122334455 0800',
    '4500 003c 9b28 4000 40 06 1376 c0a8010b d157f912',
    '83f3 0035 23fec80c 00000000 a0 02 faf0 0c41 0000',
    '020405b4 0402 080a79e2ca9a00000000 01 030307',
  );

/** zeek, testing/btest/Traces/chksums/ip4-tcp-bad-chksum.pcap: header right, TCP wrong. */
export const badTcp4 = (): DataView =>
  hex(
    'ffffffffffff 000000000000 0800',
    '4500 0028 0001 0000 40 06 7ccd 7f000001 7f000001',
    '7530 0050 00000000 00000000 50 02 2000 0001 0000',
  );

/** zeek, testing/btest/Traces/chksums/ip6-tcp-bad-chksum.pcap: TCP wrong. */
export const badTcp6 = (): DataView =>
  hex(
    'ffffffffffff 000000000000 86dd',
    '60000000 0014 06 40 200104f80004000702e081fffe52ffff 200104f80004000702e081fffe529a6b',
    '7530 0050 00000000 00000000 50 02 2000 0001 0000',
  );

/** tcpdump, tests/ipv6-srh-tlv-hmac.pcap: a segment routing header, then nothing. */
export const segmentRouting = (): DataView =>
  hex(
    '000000001111 00000000aaaa 86dd',
    '6789abcd 0030 2b 40 20010db8000100000000000000000001 cafe0001000000000000000000000002',
    '3b05040000000000 cafe0001000000000000000000000002',
    '0510800054 12ab300000000000000000aaaaaaaaaaaaaaaa',
  );

/** zeek, testing/btest/Traces/dns/mdns.pcap, packet 1: UDP over IPv6 (multicast DNS). */
export const mdns6 = (): DataView =>
  hex(
    '3333000000fb 8a3cd6e14dc4 86dd',
    '60089071 0035 11 ff fd52429ec03c8235883cd6fffee14dc4 ff0200000000000000000000000000fb',
    '14e9 14e9 0035 c1d8 000000000002000000000000',
    '045f697070045f746370056c6f63616c00000c0001055f69707073c011000c0001',
  );
