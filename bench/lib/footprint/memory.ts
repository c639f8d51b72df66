// proc(5), smaps_rollup: resident counts the pages of Node's own file as well, which the kernel takes back
// when it needs them; anonymous memory is what the program has for itself.
import type { Guest } from '../../../test/lab/pi-system/guest.ts'
import type { Shop } from '../../../test/lab/torture/shop.ts'

interface Memory {
  /** Of 1024 × 1024 bytes, as all here. */
  readonly residentMB: number
  readonly anonymousMB: number
}

export interface MemoryFigures {
  readonly bareNode: Memory
  /** Idle, in the life that opened the channel, for which ethers was loaded. */
  readonly opened: Memory
  /** Idle, since a restart. */
  readonly idle: Memory
  readonly paying: Memory
  /** Most that the service's control group had, with what the kernel keeps of files for it. */
  readonly serviceMostMB: number
  /** `MemoryMax` of the unit. */
  readonly serviceLimitMB: number
  /** How often the limit was met. */
  readonly limitMet: number
}

const node = '/usr/lib/uraiden-agent/node'
const group = '/sys/fs/cgroup/system.slice/uraiden-agent.service'

export async function measureMemory(guest: Guest, shop: Shop): Promise<MemoryFigures> {
  await guest.run(`systemd-run --quiet --unit=bare ${node} -e 'setInterval(() => 0, 2 ** 30)'`)
  await sales(shop, 2)
  await pause(60)
  const bareNode = await memoryOf(guest, 'bare')
  await guest.run('systemctl stop bare')
  const opened = await memoryOf(guest, 'uraiden-agent')
  await guest.run('systemctl restart uraiden-agent')
  await sales(shop, 2)
  await pause(60)
  const idle = await memoryOf(guest, 'uraiden-agent')
  await guest.run('systemctl start buyer')
  await sales(shop, 100)
  const paying = await memoryOf(guest, 'uraiden-agent')
  await guest.run('systemctl stop buyer')
  const [peak, limit, events] = await Promise.all(
    ['peak', 'max', 'events'].map((name) => guest.run(`cat ${group}/memory.${name}`)),
  )
  return {
    bareNode,
    opened,
    idle,
    paying,
    serviceMostMB: megabytes(Number(peak) / 1024),
    serviceLimitMB: megabytes(Number(limit) / 1024),
    limitMet: Number(/^max (\d+)$/m.exec(events ?? '')?.[1]),
  }
}

async function memoryOf(guest: Guest, service: string): Promise<Memory> {
  const text = await guest.run(
    `cat /proc/$(systemctl show --value --property=MainPID ${service})/smaps_rollup`,
  )
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1])
  return { residentMB: megabytes(field('Rss')), anonymousMB: megabytes(field('Anonymous')) }
}

function megabytes(kilobytes: number): number {
  return Math.round(kilobytes / 102.4) / 10
}

async function sales(shop: Shop, more: number): Promise<void> {
  const until = shop.sales.length + more
  while (shop.sales.length < until) await pause(0.2)
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000))
}
