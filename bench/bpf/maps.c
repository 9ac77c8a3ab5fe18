// 64 operations on a map of 100,000 entries, at random keys: for the benchmark `maps`.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#define ENTRIES 100000
#define OPS 64

typedef unsigned int u32;
typedef unsigned long long u64;

#define MAP(name_, type_, key_, flags_, max_)                                                     \
	struct {                                                                                 \
		__uint(type, type_);                                                             \
		__type(key, key_);                                                               \
		__type(value, u64);                                                              \
		__uint(max_entries, max_);                                                       \
		__uint(map_flags, flags_);                                                       \
	} name_ SEC(".maps")

struct prefix {
	u32 length;
	u32 address;
};

// An update takes a new element before it lets the old one go: LRU has room to spare.
MAP(hash, BPF_MAP_TYPE_HASH, u32, 0, ENTRIES);
MAP(lru, BPF_MAP_TYPE_LRU_HASH, u32, 0, ENTRIES + 1024);
MAP(lpm, BPF_MAP_TYPE_LPM_TRIE, struct prefix, BPF_F_NO_PREALLOC, ENTRIES);

u32 filled = 0;
u32 state = 1;

// Different for different indices, and spread over all of 32 bits.
static __always_inline u32 key_of(u32 index)
{
	return index * 2654435761u;
}

static __always_inline u32 random_index(u32 *state)
{
	u32 x = *state;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	*state = x;
	return ((u64)x * ENTRIES) >> 32;
}

// One in sixteen covers many of the others.
static __always_inline struct prefix prefix_of(u32 index)
{
	struct prefix prefix = { index % 16 == 0 ? 12 : 24, __builtin_bswap32(key_of(index)) };

	return prefix;
}

SEC("xdp") int fill(struct xdp_md *ctx)
{
	u32 index = filled;
	u64 value = index;

	for (int i = 0; i < OPS; i++, index++) {
		u32 key = key_of(index);
		struct prefix prefix = prefix_of(index);

		if (index >= ENTRIES)
			break;
		bpf_map_update_elem(&hash, &key, &value, BPF_ANY);
		bpf_map_update_elem(&lru, &key, &value, BPF_ANY);
		bpf_map_update_elem(&lpm, &prefix, &value, BPF_ANY);
	}
	filled = index;
	return OPS;
}

#define LOOKUP(name_, map_, key_type_, key_)                                                     \
	SEC("xdp") int name_(struct xdp_md *ctx)                                                 \
	{                                                                                        \
		u32 seed = state, found = 0;                                                     \
		for (int i = 0; i < OPS; i++) {                                                  \
			key_type_ key = key_;                                                    \
			found += bpf_map_lookup_elem(&map_, &key) != 0;                          \
		}                                                                                \
		state = seed;                                                                    \
		return found;                                                                    \
	}

#define UPDATE(name_, map_, key_type_, key_)                                                     \
	SEC("xdp") int name_(struct xdp_md *ctx)                                                 \
	{                                                                                        \
		u32 seed = state, done = 0;                                                      \
		for (int i = 0; i < OPS; i++) {                                                  \
			key_type_ key = key_;                                                    \
			u64 value = seed;                                                        \
			done += bpf_map_update_elem(&map_, &key, &value, BPF_ANY) == 0;          \
		}                                                                                \
		state = seed;                                                                    \
		return done;                                                                     \
	}

#define PREFIX { 32, __builtin_bswap32(key_of(random_index(&seed))) }

LOOKUP(hash_lookup, hash, u32, key_of(random_index(&seed)))
UPDATE(hash_update, hash, u32, key_of(random_index(&seed)))
LOOKUP(lru_lookup, lru, u32, key_of(random_index(&seed)))
UPDATE(lru_update, lru, u32, key_of(random_index(&seed)))
LOOKUP(lpm_lookup, lpm, struct prefix, PREFIX)
UPDATE(lpm_update, lpm, struct prefix, prefix_of(random_index(&seed)))

// The loop and the keys alone.
SEC("xdp") int empty(struct xdp_md *ctx)
{
	u32 seed = state;

	for (int i = 0; i < OPS; i++) {
		volatile u32 key = key_of(random_index(&seed));

		(void)key;
	}
	state = seed;
	return OPS;
}

char LICENSE[] SEC("license") = "MIT";
