// A disk that is full for a while. The limit of a file's size stands for it, which needs no root: a
// write fails in the middle just the same.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { openState } from '../../../platform/state/state.ts'
import { parseAddress } from '../../../protocol/index.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { needing, tools } from '../../support/tools.ts'

const run = promisify(execFile)
const program = fileURLToPath(new URL('../../support/programs/state-writer.ts', import.meta.url))
const account = parseAddress(`0x${'11'.repeat(20)}`)
const owner = { chainId: 1n, contract: account, account }

needing(test, tools.prlimit)(
  'what is written after the disk was full is there after a crash',
  async (t) => {
    const folder = join(await temporaryFolder(t), 'state')
    // Without the trap a write over the limit would end the process.
    const script = `trap '' XFSZ; exec "${process.execPath}" "${program}" "${folder}"`
    const writer = spawn('sh', ['-c', script], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    t.teardown(() => writer.kill('SIGKILL'))
    const answer = async () => String((await once(writer, 'message'))[0])
    t.is(await answer(), 'ready')
    const write = (key: string, value: string) => {
      writer.send([key, value])
      return answer()
    }
    const limit = (bytes: number | 'unlimited') =>
      run('prlimit', ['--pid', `${writer.pid}`, `--fsize=${bytes}:`])

    t.is(await write('before', 'a'), 'written')
    await limit((await logSize(folder)) + 100)
    t.is(await write('during', 'b'.repeat(10_000)), 'state_unwritable')
    t.is(await write('still', 'c'.repeat(10_000)), 'state_unwritable')
    await limit('unlimited')
    t.is(await write('after', 'd'), 'written')
    t.is(await write('later', 'e'), 'written')

    const gone = once(writer, 'exit')
    writer.kill('SIGKILL')
    await gone
    const db = await openState({ folder, owner, program: 'agent', format: 1 })
    t.teardown(() => db.close())
    t.deepEqual(await db.getMany(['before', 'after', 'later']), ['a', 'd', 'e'])
  },
)

/** Of LevelDB's newest log. */
async function logSize(folder: string): Promise<number> {
  const logs = (await readdir(folder)).filter((name) => name.endsWith('.log')).sort()
  return (await stat(join(folder, logs.at(-1) ?? ''))).size
}
