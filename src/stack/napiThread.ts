/**
 * Threaded NAPI: a thread for each NAPI, which shares its CPU with others as threads do.
 *
 * Here a thread is bound to the CPU it is given. Linux's `busy-poll` mode, in which the thread polls
 * with nothing pending (7.0), is left out.
 *
 * @linux napi_threaded_poll, dev_set_threaded; net/core/dev.c
 */
import type { Work } from '../host/cpu.ts';
import { CTX_NAPI_THREAD } from '../host/cpu.ts';
import { Task } from '../host/runQueue.ts';
import { netRpsAction } from './backlog.ts';
import type { NapiStruct } from './napi.ts';
import { NAPIF_STATE_SCHED_THREADED, __napiPoll } from './napi.ts';

/** Give a NAPI its thread; it is used once the NAPI is enabled. @linux napi_kthread_create */
export function napiKthreadCreate(napi: NapiStruct, cpuId: number): void {
  const { cpu } = napi.dev.net.softnet[cpuId]!;
  const name = `napi/${napi.dev.name}-${napi.napiId}`;
  napi.thread = new Task(name, cpu, CTX_NAPI_THREAD, (task) => napiThreadedPoll(napi, task));
}

/**
 * The life of the thread: wait until the NAPI is scheduled here, then poll until it completes. The
 * CPU may go to others between two polls.
 *
 * @linux napi_threaded_poll, napi_thread_wait, napi_threaded_poll_loop
 */
function* napiThreadedPoll(napi: NapiStruct, task: Task): Work {
  const { net } = napi.dev;
  const { cpu } = task;
  const sd = net.softnet[cpu.id]!;
  for (;;) {
    if ((napi.state & NAPIF_STATE_SCHED_THREADED) === 0) task.sleep();
    else {
      sd.inNapiThreadedPoll = true;
      napi.cpu = cpu;
      __napiPoll(napi);
      sd.inNapiThreadedPoll = false;
      netRpsAction(net, sd);
    }
    yield; // local_bh_enable, cond_resched
  }
}
