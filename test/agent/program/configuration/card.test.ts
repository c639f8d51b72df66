import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { asideFile, spoolFiles } from '../../../../agent/program/configuration/card.ts'
import {
  type AgentConfig,
  loadAgentConfig,
} from '../../../../agent/program/configuration/config.ts'
import { purchaseSettings } from '../../../../agent/program/configuration/purchasing.ts'
import { temporaryFolder } from '../../../support/folder.ts'

async function configOf(t: ExecutionContext, more: string): Promise<AgentConfig> {
  const file = join(await temporaryFolder(t), 'agent.yaml')
  await writeFile(
    file,
    `rpc: http://127.0.0.1:9
contract: '0x74434527b8E6C8296506D61d0faF3D18c9e4649A'
key: key
${more}`,
  )
  return loadAgentConfig(file, {})
}

const jobs = `jobs:
  a: { get: room/a, every: '* * * * *', sinks: [{ stdout: true }] }
  b: { get: room/b, every: '*/5 * * * *', sinks: [{ stdout: true }] }
  c: { get: 'http://127.0.0.1:1/c', every: '* * * * *', sinks: [{ stdout: true }] }
`

test('a gentle card has the payments of two hours reserved, of the busiest receiver, and a quarter more', async (t) => {
  const reservation = async (more: string) =>
    purchaseSettings(await configOf(t, more)).policy.reservation
  t.is(await reservation(jobs), undefined)
  t.is(await reservation(`card: careful\nreservation: 5\n${jobs}`), 5)
  t.is(await reservation(`card: gentle\n${jobs}`), 16 + 180)
  t.is(await reservation(`card: gentle\nreservation: 500\n${jobs}`), 500)
  t.is(await reservation('card: gentle\n'), 16)
})

test('what waits for a gentle card is in memory, for each state its own', async (t) => {
  const gentle = await configOf(t, 'card: gentle\n')
  const warnings: string[] = []
  const files = (folder: string, environment: NodeJS.ProcessEnv) =>
    spoolFiles(gentle, folder, { environment, warn: (text) => warnings.push(text) })
  const service = files('/var/lib/a', { RUNTIME_DIRECTORY: '/run/a', XDG_RUNTIME_DIR: '/run/user' })
  t.regex(service?.ledger ?? '', /^\/run\/a\/uraiden-agent-[0-9a-f]{8}-ledger\.spool$/)
  t.regex(service?.jobs ?? '', /^\/run\/a\/uraiden-agent-[0-9a-f]{8}-jobs\.spool$/)
  t.notDeepEqual(service, files('/var/lib/b', { RUNTIME_DIRECTORY: '/run/a' }))
  t.regex(files('/home/a', { XDG_RUNTIME_DIR: '/run/user/1' })?.jobs ?? '', /^\/run\/user\/1\//)
  t.deepEqual(warnings, [])
  t.is(files('/home/a', {}), undefined)
  t.regex(warnings[0] ?? '', /RUNTIME_DIRECTORY/)
  const careful = await configOf(t, '')
  t.is(
    spoolFiles(careful, '/a', { environment: { RUNTIME_DIRECTORY: '/run' }, warn: t.fail }),
    undefined,
  )
})

test('a careful service has a file in memory, too, the same as a gentle one', async (t) => {
  const environment = { RUNTIME_DIRECTORY: '/run/a' }
  const careful = await configOf(t, '')
  const gentle = await configOf(t, 'card: gentle\n')
  const spool = spoolFiles(gentle, '/var/lib/a', { environment, warn: t.fail })
  t.is(asideFile(careful, '/var/lib/a', environment), spool?.jobs)
  t.is(asideFile(gentle, '/var/lib/a', environment), undefined)
  // What lies there would not outlast a logout.
  t.is(asideFile(careful, '/var/lib/a', { XDG_RUNTIME_DIR: '/run/user/1' }), undefined)
})
