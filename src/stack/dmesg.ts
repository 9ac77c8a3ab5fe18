/**
 * The kernel log of a machine: complaints a person should read, each kind at most once.
 *
 * @linux pr_warn_once, netdev_err_once; include/linux/printk.h
 */
const CAPACITY = 1000;

export class Dmesg {
  private readonly said: Map<string, string> = new Map();

  /**
   * Cold: never called for a packet that goes its normal way. The log keeps its first 1000 lines.
   *
   * @param place what is said once, whatever numbers the line carries
   */
  once(line: string, place: string = line): void {
    if (this.said.size < CAPACITY && !this.said.has(place)) this.said.set(place, line);
  }

  get lines(): readonly string[] {
    return [...this.said.values()];
  }
}
