import test from 'ava'
import type { BoughtValue } from '../../../../agent/jobs/values.ts'
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

test('what a job bought is said with its value; what it paid for and did not want, with the status', (t) => {
  const { lines, terminal } = given()
  const token = { symbol: 'TKN', decimals: 3 }
  const ran = (value: BoughtValue, cost?: bigint) =>
    terminal.ran(
      { job: 'light', value, payment: cost === undefined ? undefined : { cost } } as never,
      token,
    )
  ran({ text: '{"lux":512}', number: 512 }, 5n)
  ran({ text: 'It is raining cats and dogs, and it will not end.' }, 5n)
  ran({ text: 'a\u001b[2J\nb' })
  const paid = { cost: 5n, method: 'GET', url: new URL('http://room/a'), job: 'light' } as const
  terminal.paid({ ...paid, status: 200 } as never, token)
  terminal.paid({ ...paid, status: 404 } as never, token)
  t.deepEqual(lines, [
    '17:40:05  bought light for 0.005 TKN: 512\n',
    '17:40:05  bought light for 0.005 TKN: It is raining cats and dogs, a…\n',
    '17:40:05  bought light free: a\ufffd[2J b\n',
    '17:40:05  bought light for 0.005 TKN, status 404\n',
  ])
})

test('each purchase is one line, and steers no terminal', (t) => {
  const { lines, terminal } = given()
  const token = { symbol: 'TKN', decimals: 3 }
  const paid = {
    ...{ channel: '0x7/1', price: 5n, cost: 5n, method: 'GET', status: 200 },
    url: new URL('http://room:5000/a?key=secret'),
  } as const
  terminal.paid({ ...paid, job: undefined, status: 404 } as never, token)
  terminal.paid({ ...paid, job: 'a\u001b[2J\nb', status: 500 } as never, undefined)
  t.deepEqual(lines, [
    '17:40:05  bought GET room:5000/a for 0.005 TKN, status 404\n',
    '17:40:05  bought a\ufffd[2J b for 5 units, status 500\n',
  ])
})
