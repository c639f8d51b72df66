import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { loadAgentConfig } from '../../../agent/program/configuration/config.ts'
import { temporaryFolder } from '../../support/folder.ts'

async function load(t: ExecutionContext, proxy: string) {
  const file = join(await temporaryFolder(t), 'agent.yaml')
  await writeFile(
    file,
    `rpc: http://127.0.0.1:8545
contract: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
key: key
proxy: ${proxy}
`,
  )
  return (await loadAgentConfig(file, {})).proxy
}

test('the proxy listens on the loopback, and refuses what is not public knowledge', async (t) => {
  t.like(await load(t, '{}'), {
    listen: { host: '127.0.0.1', port: 8402 },
    others: 'refuse',
    connect: 'refuse',
    mostBody: 2 ** 20,
  })
})

test('any address of the loopback can be listened on, and no other', async (t) => {
  const good: readonly (readonly [text: string, host: string, port: number])[] = [
    ['127.0.0.1:8402', '127.0.0.1', 8402],
    ['127.255.255.254:1', '127.255.255.254', 1],
    ["'[::1]:65535'", '::1', 65_535],
    ['localhost:8402', '127.0.0.1', 8402],
    ['8402', '127.0.0.1', 8402],
  ]
  for (const [text, host, port] of good) {
    t.deepEqual((await load(t, `{ listen: ${text} }`))?.listen, { host, port }, text)
  }
  const bad = [
    '0.0.0.0:8402',
    '192.168.1.4:8402',
    "'[::]:8402'",
    "'[::2]:8402'",
    "'[::ffff:127.0.0.1]:8402'",
    '128.0.0.1:8402',
    'example.org:8402',
    '127.0.0.1:65536',
    '127.0.0.1',
    "':8402'",
  ]
  for (const text of bad) {
    const error = await t.throwsAsync(load(t, `{ listen: ${text} }`), { code: 'config_invalid' })
    t.regex(error?.message ?? '', /proxy\.listen: .* is not a port on this machine/, text)
  }
})
