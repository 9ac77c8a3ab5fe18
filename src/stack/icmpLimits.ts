/**
 * How many ICMP errors may be sent: all together, and to one host.
 *
 * Together: a bucket of 50, refilled with 1000 a second but not more often than every 20 ms; each
 * message takes a random 0 to 2 in Linux, and exactly 1 here. To one host: one a second, after a
 * burst of 6. That there is no route is said once a second as well, after a burst of 5; redirects
 * come at ever longer intervals, and after nine of them no more until 20 s have passed in silence.
 * All are counted in jiffies, and on one account for each host.
 *
 * @linux icmp_global_allow, icmp_global_consume, inet_peer_xrlim_allow; net/ipv4/icmp.c, inetpeer.c
 * @linux ip_error, ip_rt_send_redirect; net/ipv4/route.c
 */

/** @linux sysctl icmp_msgs_per_sec, icmp_msgs_burst */
const MSGS_PER_SEC = 1000;
const MSGS_BURST = 50;
/** Messages one host may get in a row. @linux XRLIM_BURST_FACTOR */
const XRLIM_BURST_FACTOR = 6;
/** Seconds saved up for messages that there is no route. @linux ip_rt_error_burst */
const ERROR_BURST_SECONDS = 5;
/** @linux ip_rt_redirect_number */
const REDIRECTS_MAX = 9;
/** Hosts remembered; the one asked about longest ago is forgotten first. @linux inet_peer_threshold, of a small machine */
const PEERS_MAX = 65_536;

/** @linux struct inet_peer */
interface Peer {
  rateTokens: number;
  rateLast: number;
  redirects: number;
}

export class IcmpLimits {
  private readonly hz: number;
  private credit = 0;
  private stamp: number;
  private readonly peers: Map<number | string, Peer> = new Map();

  constructor(hz: number) {
    this.hz = hz;
    this.stamp = -hz; // a machine that has just been switched on has a full second behind it
  }

  /** @returns whether the machine may send one more; `globalConsume` takes it. @linux icmp_global_allow */
  globalAllow(jiffies: number): boolean {
    if (this.credit > 0) return true;
    const delta = Math.min(jiffies - this.stamp, this.hz);
    if (delta < this.hz / 50) return false;
    const incr = Math.floor((MSGS_PER_SEC * delta) / this.hz);
    if (incr === 0) return false;
    this.stamp = jiffies;
    this.credit = Math.min(this.credit + incr, MSGS_BURST);
    return true;
  }

  /** @linux icmp_global_consume */
  globalConsume(): void {
    if (this.credit > 0) this.credit--;
  }

  /**
   * @param host the address, a number for IPv4, text for IPv6
   * @param timeout jiffies between two messages
   * @linux inet_peer_xrlim_allow
   */
  peerAllow(host: number | string, timeout: number, jiffies: number): boolean {
    const peer = this.peers.get(host) ?? this.newPeer(host, jiffies);
    const token = Math.min(peer.rateTokens + jiffies - peer.rateLast, XRLIM_BURST_FACTOR * timeout);
    peer.rateLast = jiffies;
    const allowed = token >= timeout;
    peer.rateTokens = allowed ? token - timeout : token;
    return allowed;
  }

  /** @param host IPv4 address of who is to hear that there is no way. @linux ip_error, ip_rt_error_cost */
  errorAllow(host: number, jiffies: number): boolean {
    const peer = this.peers.get(host) ?? this.newPeer(host, jiffies);
    const most = ERROR_BURST_SECONDS * this.hz;
    const token = Math.min(peer.rateTokens + jiffies - peer.rateLast, most);
    peer.rateLast = jiffies;
    const allowed = token >= this.hz;
    peer.rateTokens = allowed ? token - this.hz : token;
    return allowed;
  }

  /** @linux ip_rt_send_redirect, ip_rt_redirect_load, ip_rt_redirect_silence */
  redirectAllow(host: number, jiffies: number): boolean {
    const peer = this.peers.get(host) ?? this.newPeer(host, jiffies);
    const load = Math.floor(this.hz / 50);
    if (jiffies > peer.rateLast + load * 2 ** (REDIRECTS_MAX + 1)) {
      peer.rateTokens = 0;
      peer.redirects = 0;
    }
    if (peer.redirects >= REDIRECTS_MAX) {
      peer.rateLast = jiffies;
      return false;
    }
    if (peer.redirects > 0 && jiffies <= peer.rateLast + load * 2 ** peer.redirects) return false;
    peer.rateLast = jiffies;
    peer.redirects++;
    return true;
  }

  private newPeer(host: number | string, jiffies: number): Peer {
    if (this.peers.size >= PEERS_MAX) this.peers.delete(this.peers.keys().next().value!);
    // as if it had not been spoken to for a minute
    const peer = { rateTokens: 0, rateLast: jiffies - 60 * this.hz, redirects: 0 };
    this.peers.set(host, peer);
    return peer;
  }
}
