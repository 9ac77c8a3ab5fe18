/**
 * The kernel log of a machine: complaints a person should read, each kind at most once.
 *
 * @linux pr_warn_once, netdev_err_once; include/linux/printk.h
 */
export class Dmesg {
  private readonly said: Map<string, string> = new Map();

  /**
   * Cold: never called for a packet that goes its normal way.
   *
   * @param place what is said once, whatever the line says in particular
   */
  once(place: string, line: string): void {
    if (!this.said.has(place)) this.said.set(place, line);
  }

  get lines(): readonly string[] {
    return [...this.said.values()];
  }
}
