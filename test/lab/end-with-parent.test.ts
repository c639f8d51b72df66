import { spawn } from 'node:child_process'
import { once } from 'node:events'
import test from 'ava'

const helper = new URL('./processes/end-with-parent.ts', import.meta.url).href
const parent = `
  import { spawn } from 'node:child_process'
  import { endWithParent } from '${helper}'
  const child = spawn(process.execPath, ['-e', 'process.stdout.write("up"); setInterval(() => {}, 1000)'], {
    stdio: ['ignore', 'inherit', 'ignore'],
  })
  endWithParent(child)
  process.stdin.once('data', () => {
    child.kill('SIGSTOP')
    process.stdout.write('frozen')
  })
`

for (const frozen of [false, true]) {
  test(`a process is killed with SIGKILL: its ${frozen ? 'frozen ' : ''}child ends too`, async (t) => {
    const started = spawn(process.execPath, ['--input-type=module', '-e', parent], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const { stdin, stdout } = started
    t.is(String((await once(stdout, 'data'))[0]), 'up')
    if (frozen) {
      stdin.write('freeze\n')
      t.is(String((await once(stdout, 'data'))[0]), 'frozen')
    }
    started.kill('SIGKILL')
    // The child holds it open as long as it lives.
    await once(stdout, 'end')
  })
}

test('a child that ends leaves nobody behind who waits for its parent', async (t) => {
  const short = parent
    .replace('setInterval(() => {}, 1000)', '')
    .replace('process.stdin.once', 'void')
  const started = spawn(process.execPath, ['--input-type=module', '-e', short], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = await once(started, 'exit')
  t.is(code, 0)
})

test('a process is killed before it has said which child it spawned: the child ends too', async (t) => {
  const silent = `
    import { spawn } from 'node:child_process'
    import { watchedByParent } from '${helper}'
    const { environment } = watchedByParent()
    spawn(process.execPath, ['-e', 'process.stdout.write("up"); setInterval(() => {}, 1000)'], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'inherit', 'ignore'],
    })
  `
  const { stdout, kill } = started(silent)
  t.is(String((await once(stdout, 'data'))[0]), 'up')
  kill()
  await once(stdout, 'end')
})

function started(script: string) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return { stdout: child.stdout, kill: () => child.kill('SIGKILL') }
}
