import test from 'ava'
import type { DaemonStatus } from '../../../../agent/program/control/status.ts'
import { createTerminal } from '../../../../agent/program/daemon/terminal.ts'

const now = new Date(2026, 10, 27, 17, 40, 5).getTime()
const minute = 60_000

function given() {
  const lines: string[] = []
  return {
    lines,
    terminal: createTerminal(
      (text) => void lines.push(text),
      () => now,
    ),
  }
}

test('a daemon at a terminal says where its page is, and when its jobs run', (t) => {
  const { lines, terminal } = given()
  terminal.ready({
    page: { port: 8403, key: 'abc' },
    proxy: { port: 8402, socket: undefined },
    jobs: [
      { name: 'temperature', state: 'waiting', next: now + minute },
      { name: 'light', state: 'waiting', next: now + 1440 * minute },
      { name: 'rain', state: 'paused', next: undefined },
    ],
  } as unknown as DaemonStatus)
  t.deepEqual(lines, [
    'page    http://127.0.0.1:8403/#key=abc\n',
    'proxy   http://127.0.0.1:8402\n',
    'job     temperature  next 17:41:05\n',
    'job     light        next 2026-11-28 17:40:05\n',
    'job     rain         paused\n',
    'Ctrl-C ends it. What it does: uraiden-agent status\n',
  ])
})

test('each purchase is one line, and steers no terminal', (t) => {
  const { lines, terminal } = given()
  const token = { symbol: 'TKN', decimals: 3 }
  const paid = {
    ...{ channel: '0x7/1', price: 5n, cost: 5n, method: 'GET', status: 200 },
    url: new URL('http://room:5000/a?key=secret'),
  } as const
  terminal.paid({ ...paid, job: 'temperature' } as never, token)
  terminal.paid({ ...paid, job: undefined, status: 404 } as never, token)
  terminal.paid({ ...paid, job: 'a\u001b[2J\nb' } as never, undefined)
  t.deepEqual(lines, [
    '17:40:05  bought temperature for 0.005 TKN\n',
    '17:40:05  bought GET room:5000/a for 0.005 TKN, status 404\n',
    '17:40:05  bought a\ufffd[2J b for 5 units\n',
  ])
})
