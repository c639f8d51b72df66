// One vocabulary with agent.yaml, and all that was written before is still read.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { loadReceiverConfig } from '../../../receiver/program/config.ts'
import { temporaryFolder } from '../../support/folder.ts'

async function load(folder: string, text: string) {
  const file = join(folder, 'receiver.yaml')
  await writeFile(file, `contract: '0x74434527b8E6C8296506D61d0faF3D18c9e4649A'\nkey: /k\n${text}`)
  return loadReceiverConfig({ file, environment: {} })
}

test('durations and seconds, max… and most…, metrics and ops.listen', async (t) => {
  const folder = await temporaryFolder(t)
  const before = await load(
    folder,
    `pollInterval: 0.5
stopWithin: 120
mostGasPrice: 50 gwei
outage: { longest: 300, mostInAll: 1 TKN }
limits: { headers: 10, request: 60, idle: 72, stall: 30, mostBytes: 2000000 }
replies: { lifetime: 3600 }
ops: { listen: 127.0.0.1:9403, chainAge: 60 }
admin: { sessionLifetime: 600 }
watchtowers: [{ url: 'https://tower.example', token: /t, every: 2 }]
resources:
  /a: { price: 1 units, command: date, timeout: 10, cache: 60 }
`,
  )
  const now = await load(
    folder,
    `pollInterval: 500ms
stopWithin: 2m
maxGasPrice: 50 gwei
outage: { longest: 5m, maxInAll: 1 TKN }
limits: { headers: 10s, request: 1m, idle: 72s, stall: 30s, maxBytes: 2000000 }
replies: { lifetime: 1h }
metrics: 127.0.0.1:9403
ops: { chainAge: 1m }
admin: { sessionLifetime: 10m }
watchtowers: [{ url: 'https://tower.example', token: /t, every: 2s }]
resources:
  /a: { price: 1 units, command: date, timeout: 10s, cache: 1m }
`,
  )
  const { metrics, ...same } = now
  t.deepEqual(same, before)
  t.deepEqual(metrics, before.ops.listen)
})

test('metrics and ops.listen are one setting', async (t) => {
  const folder = await temporaryFolder(t)
  await t.throwsAsync(load(folder, 'metrics: 127.0.0.1:1\nops: { listen: 127.0.0.1:1 }\n'), {
    code: 'config_invalid',
    message: /metrics is the same as ops\.listen/,
  })
})
