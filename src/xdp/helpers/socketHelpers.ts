/**
 * Helpers on sockets, of which this stack has none that a program could find yet: every lookup
 * answers with a null pointer, as Linux does where nobody listens.
 *
 * @linux net/core/filter.c
 */
import { EINVAL } from '../../host/errno.ts';
import { helper } from './define.ts';
import type { Helper } from './helper.ts';

const notFound = (): number => 0;
/** They want a socket that no lookup gave. */
const noSocket = (): number => -EINVAL;

export const SOCKET_HELPERS: readonly Helper[] = [
  helper(84, 'bpf_sk_lookup_tcp', notFound),
  helper(85, 'bpf_sk_lookup_udp', notFound),
  helper(86, 'bpf_sk_release', noSocket),
  helper(99, 'bpf_skc_lookup_tcp', notFound),
  helper(100, 'bpf_tcp_check_syncookie', noSocket),
  helper(110, 'bpf_tcp_gen_syncookie', noSocket),
  helper(136, 'bpf_skc_to_tcp6_sock', notFound),
  helper(137, 'bpf_skc_to_tcp_sock', notFound),
  helper(138, 'bpf_skc_to_tcp_timewait_sock', notFound),
  helper(139, 'bpf_skc_to_tcp_request_sock', notFound),
  helper(140, 'bpf_skc_to_udp6_sock', notFound),
];
