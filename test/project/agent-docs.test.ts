// The configurations in the agent's documents are read by the program as they stand.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { loadAgentConfig } from '../../agent/program/configuration/config.ts'
import { temporaryFolder } from '../support/folder.ts'

const least = `rpc: http://127.0.0.1:8545
contract: '0x74434527b8E6C8296506D61d0faF3D18c9e4649A'
key: agent-key.json
receivers: { living-room: { url: http://192.168.1.104:5000 } }
`

const blocks = [
  ...(await readFile('docs/reference/jobs.md', 'utf8')).matchAll(/^```yaml\n(.*?)^```/gms),
]

test('there are configurations to try', (t) => {
  t.true(blocks.length >= 2)
})

for (const [index, [, yaml = '']] of blocks.entries()) {
  test(`jobs.md, configuration ${index + 1}`, async (t) => {
    const file = join(await temporaryFolder(t), 'agent.yaml')
    await writeFile(file, least + yaml)
    const { jobs } = await loadAgentConfig(file, {})
    t.true(Object.keys(jobs).length > 0)
  })
}
