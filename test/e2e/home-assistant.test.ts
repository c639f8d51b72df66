// The daemon as a device of Home Assistant: what the broker is told, and what a press does.
import { join } from 'node:path'
import test from 'ava'
import { startTestBroker } from '../support/broker.ts'
import { daemonFolder, startDaemonProcess } from '../support/daemon.ts'
import { startSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

test('a daemon tells what it spent, runs a job when the button is pressed, and pauses', async (t) => {
  const system = await startSystem(t)
  const broker = await startTestBroker(t)
  const { folder, config } = await daemonFolder(system)
  await config(`budget: { day: 1000 units }
mqtt: { url: '${broker.url}', homeAssistant: true }
jobs:
  reading:
    get: room/reading
    every: '0 0 1 1 *'
    sinks: [ { file: ${join(folder, 'out.jsonl')} } ]
`)
  const daemon = await startDaemonProcess(t, folder)
  const base = `uraiden/uraiden-${system.senderAccount.address.slice(2, 10).toLowerCase()}/agent`
  const state = async (): Promise<Readonly<Record<string, string>>> =>
    JSON.parse((await broker.retained()).get(`${base}/state`) ?? '{}')
  await until(async () => (await state())['left-all-day'] !== undefined, daemon.log)
  t.is((await state())['spent-today'], '0')
  // It listens when it has taken one; what is pressed before is lost.
  await until(async () => {
    await broker.publish(`${base}/command/run-reading`, 'PRESS')
    return (await state())['spent-today'] !== '0'
  }, daemon.log)
  t.is((await state())['problem-reading'], 'OFF')
  await until(async () => {
    await broker.publish(`${base}/command/pause`, 'PRESS')
    return (await state()).paused === 'ON'
  }, daemon.log)
  t.true((await daemon.status())?.paused)
  daemon.child.kill('SIGTERM')
  t.is(await daemon.ended, 0)
  t.is((await broker.retained()).get(`${base}/status`), 'offline')
})
