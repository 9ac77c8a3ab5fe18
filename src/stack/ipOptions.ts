/**
 * The options of a received IPv4 header: are they well formed, and do they ask for what is refused?
 *
 * Nothing is recorded or stamped, as only a forwarder or a reply would need it.
 *
 * @linux ip_options_compile; net/ipv4/ip_options.c
 */

/** @linux include/uapi/linux/ip.h */
const IPOPT_END = 0;
const IPOPT_NOOP = 1;
const IPOPT_RR = 7;
const IPOPT_TIMESTAMP = 68;
const IPOPT_SEC = 130;
const IPOPT_LSRR = 131;
const IPOPT_SSRR = 137;
const IPOPT_RA = 148;
/** Least length of an option, and where its pointer byte may point at the earliest. */
const RR_MIN_LEN = 3;
const RR_MIN_PTR = 4;
const TS_MIN_LEN = 4;
const TS_MIN_PTR = 5;

export const OPTIONS_OK = 0;
/** They ask for a source route, which nobody accepts by default. */
export const OPTIONS_SOURCE_ROUTE = -1;

/**
 * @param at address of the first option, `len` bytes to the end of the header
 * @returns `OPTIONS_OK`, `OPTIONS_SOURCE_ROUTE`, or how far from `at`, plus 1, the offending byte lies
 * @linux ip_options_compile
 */
export function ipOptionsCompile(view: DataView, at: number, len: number): number {
  let sourceRoute = false;
  for (let i = 0; i < len;) {
    const type = view.getUint8(at + i);
    if (type === IPOPT_END) break;
    if (type === IPOPT_NOOP) {
      i++;
      continue;
    }
    if (len - i < 2) return i + 1;
    const optLen = view.getUint8(at + i + 1);
    if (optLen < 2 || optLen > len - i) return i + 1;
    const wrong = badOption(view, at + i, type, optLen, sourceRoute);
    if (wrong >= 0) return i + wrong + 1;
    if (type === IPOPT_SSRR || type === IPOPT_LSRR) sourceRoute = true;
    i += optLen;
  }
  return sourceRoute ? OPTIONS_SOURCE_ROUTE : OPTIONS_OK;
}

/** Where in the option at `at` its fault lies; -1: it has none. */
function badOption(
  view: DataView,
  at: number,
  type: number,
  len: number,
  sourceRoute: boolean,
): number {
  switch (type) {
    case IPOPT_SSRR:
    case IPOPT_LSRR:
      if (sourceRoute) return 0;
      return badPointer(view, at, len, RR_MIN_LEN, RR_MIN_PTR, 3);
    case IPOPT_RR:
      return badPointer(view, at, len, RR_MIN_LEN, RR_MIN_PTR, 3);
    case IPOPT_TIMESTAMP:
      return badPointer(view, at, len, TS_MIN_LEN, TS_MIN_PTR, 3);
    case IPOPT_RA:
      return len < 4 ? 1 : -1;
    case IPOPT_SEC:
    default:
      return -1;
  }
}

/** A pointer may stand behind the option: then it is full. Inside, `need` more bytes must fit. */
function badPointer(
  view: DataView,
  at: number,
  len: number,
  minLen: number,
  minPtr: number,
  need: number,
): number {
  if (len < minLen) return 1;
  const ptr = view.getUint8(at + 2);
  if (ptr < minPtr) return 2;
  return ptr <= len && ptr + need > len ? 2 : -1;
}
