// What the benchmark's programs do, written once for both sides: compiled for BPF it works on the
// context's packet, compiled natively on a pair of pointers. `DATA` and `DATA_END` say where it is.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

#define ABORTED 0
#define DROP 1
#define PASS 2
#define TX 3

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define NET16(n) ((u16)((n) << 8 | (n) >> 8))

#define ETH_HLEN 14
#define VLAN_HLEN 4
#define IP_HLEN 20
#define SERVERS 7

ALWAYS_INLINE u32 rol(u32 word, u32 by)
{
	return word << by | word >> (32 - by);
}

// jhash of three words and one more: Bob Jenkins' lookup3, as the kernel's jhash() of 16 bytes.
ALWAYS_INLINE u32 hash_flow(u32 saddr, u32 daddr, u32 ports, u32 proto)
{
	u32 a = 0xdeadbeef + 16 + saddr, b = 0xdeadbeef + 16 + daddr, c = 0xdeadbeef + 16 + ports;
	a -= c, a ^= rol(c, 4), c += b;
	b -= a, b ^= rol(a, 6), a += c;
	c -= b, c ^= rol(b, 8), b += a;
	a -= c, a ^= rol(c, 16), c += b;
	b -= a, b ^= rol(a, 19), a += c;
	c -= b, c ^= rol(b, 4), b += a;
	a += proto;
	c ^= b, c -= rol(b, 14);
	a ^= c, a -= rol(c, 11);
	b ^= a, b -= rol(a, 25);
	c ^= b, c -= rol(b, 16);
	a ^= c, a -= rol(c, 4);
	b ^= a, b -= rol(a, 14);
	c ^= b, c -= rol(b, 24);
	return c;
}

// Ethernet, one VLAN tag, IPv4, UDP or TCP; then a verdict by port, or a server by hash.
ALWAYS_INLINE int look(u8 *data, u8 *data_end, int hashes)
{
	if (data + ETH_HLEN > data_end)
		return ABORTED;
	u16 proto = *(u16 *)(data + 12);
	u8 *ip = data + ETH_HLEN;
	if (proto == NET16(0x8100)) {
		if (ip + VLAN_HLEN > data_end)
			return ABORTED;
		proto = *(u16 *)(ip + 2);
		ip += VLAN_HLEN;
	}
	if (proto != NET16(0x0800))
		return PASS;
	if (ip + IP_HLEN > data_end)
		return ABORTED;
	u32 ihl = (ip[0] & 15) * 4;
	if (ihl < IP_HLEN)
		return ABORTED;
	u8 *l4 = ip + ihl;
	if (l4 + 8 > data_end)
		return ABORTED;
	if (ip[9] != 17 && ip[9] != 6)
		return PASS;
	if (hashes) {
		u32 hash = hash_flow(*(u32 *)(ip + 12), *(u32 *)(ip + 16), *(u32 *)l4, ip[9]);
		*(u32 *)data = hash;
		return hash % SERVERS == 0 ? DROP : TX;
	}
	u16 port = *(u16 *)(l4 + 2);
	if (port == NET16(80) || port == NET16(443))
		return DROP;
	return port == NET16(53) ? TX : PASS;
}


PROGRAM(nop)
{
	return PASS;
}

PROGRAM(drop)
{
	return DATA_END(ctx) < DATA(ctx) ? PASS : DROP;
}

PROGRAM(parse)
{
	return look(DATA(ctx), DATA_END(ctx), 0);
}

PROGRAM(hash)
{
	return look(DATA(ctx), DATA_END(ctx), 1);
}

