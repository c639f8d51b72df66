// What a service tells systemd comes from the service itself, and from nobody that it starts.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'ava'
import { temporaryFolder } from '../../support/folder.ts'
import { needing, tools } from '../../support/tools.ts'

/** As systemd listens: it looks who has sent each. */
const listening = `
import socket, struct, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind(sys.argv[1].replace("@", "\\0", 1) if sys.argv[1][0] == "@" else sys.argv[1])
print("bound")
while True:
    text, said, _, _ = s.recvmsg(4096, socket.CMSG_SPACE(12))
    print(struct.unpack("iII", said[0][2])[0], text.decode().replace("\\n", "|"))`

const program = `
import { spawnSync } from 'node:child_process'
import { createServiceManager } from './platform/system/systemd.ts'
const manager = createServiceManager({ environment: process.env, onFailed: console.error })
manager.ready('waiting')
const descriptor = process.env.URAIDEN_NOTIFY_FD
const child = spawnSync('sh', ['-c', 'echo WATCHDOG=1 >&' + descriptor])
manager.status(child.status === 0 ? 'told by a child' : 'ready')
await manager.close()`

const notifying = 'deploy/pi/debian/notifying'

for (const where of ['a file', 'a name that is no file']) {
  needing(test, tools.python3)(
    `the service tells systemd itself, its children do not: ${where}`,
    async (t) => {
      const file = join(await temporaryFolder(t), 'notify')
      const path = where === 'a file' ? file : `@${file}`
      const listener = spawn('python3', ['-uc', listening, path])
      t.teardown(() => listener.kill('SIGKILL'))
      const lines = createInterface({ input: listener.stdout })
      const heard: string[] = []
      lines.on('line', (line) => heard.push(line))
      await once(lines, 'line')
      const command = [process.execPath, '--input-type=module-typescript', '-e', program]
      const service = spawn('/usr/bin/perl', [notifying, ...command], {
        env: { PATH: process.env.PATH, NOTIFY_SOCKET: path },
        stdio: ['ignore', 'inherit', 'inherit'],
      })
      const [code] = await once(service, 'close')
      t.is(code, 0)
      while (heard.length < 3) await once(lines, 'line')
      const { pid } = service
      t.deepEqual(heard.slice(1), [`${pid} READY=1|STATUS=waiting`, `${pid} STATUS=ready`])
    },
  )
}

test('without systemd the program is started all the same, and what is not there is said', async (t) => {
  const run = async (...command: string[]) => {
    const child = spawn('/usr/bin/perl', [notifying, ...command], {
      env: { PATH: process.env.PATH },
    })
    const [[code], said] = await Promise.all([
      once(child, 'close'),
      child.stderr.setEncoding('utf8').toArray(),
    ])
    return { code, said: said.join('') }
  }
  t.deepEqual(await run('sh', '-c', 'exit 7'), { code: 7, said: '' })
  t.like(await run('/nowhere/program'), {
    code: 2,
    said: '/nowhere/program: No such file or directory\n',
  })
})
