// What counts as a change when the configuration is read again.
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { loadSettings } from '../../../../agent/program/configuration/load.ts'
import {
  sameAgent,
  sameJobs,
  settingsOf,
} from '../../../../agent/program/configuration/settings.ts'
import { writeAgentFiles } from '../../../support/cli.ts'
import { temporaryFolder } from '../../../support/folder.ts'

test('new contents of a file under its old name are a change, of what uses it only', async (t) => {
  const folder = await temporaryFolder(t)
  const [pinned, ca] = [join(folder, 'receiver.pem'), join(folder, 'broker.pem')]
  await writeAgentFiles(
    folder,
    `0x${'11'.repeat(32)}`,
    `rpc: http://127.0.0.1:9
contract: '0x74434527b8E6C8296506D61d0faF3D18c9e4649A'
key: ${join(folder, 'key')}
tls: { pinned: ${pinned} }
mqtt: { url: 'mqtts://127.0.0.1', ca: ${ca} }
`,
  )
  await writeFile(pinned, 'a')
  await writeFile(ca, 'b')
  const load = async () =>
    settingsOf((await loadSettings(join(folder, 'agent.yaml'), {}, () => undefined)).settings)
  const first = await load()
  const again = await load()
  t.true(sameAgent(first, again) && sameJobs(first, again))
  await writeFile(pinned, 'renewed')
  const renewed = await load()
  t.false(sameAgent(first, renewed))
  t.true(sameJobs(first, renewed))
  await writeFile(ca, 'renewed')
  const both = await load()
  t.true(sameAgent(renewed, both))
  t.false(sameJobs(renewed, both))
  await rm(ca)
  await t.throwsAsync(load(), { code: 'config_file_unreadable', message: /mqtt\.ca/ })
})
