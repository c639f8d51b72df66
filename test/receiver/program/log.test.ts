// The receiver's log: one line an event, amounts in tokens, no secrets, the words of the agent's log.
import test from 'ava'
import { fastify, LogController } from 'fastify'
import { UraidenError } from '../../../protocol/index.ts'
import { type ReceiverConfig, receiverConfig } from '../../../receiver/program/config.ts'
import { createLog, type LogPlace } from '../../../receiver/program/log.ts'

function given(format: string, place: LogPlace = {}) {
  const { log: settings }: Pick<ReceiverConfig, 'log'> = receiverConfig.parse({
    ...{ contract: '0x5FbDB2315678afecb367f032d93F642f64180aa3', key: 'key' },
    log: { format },
  })
  const lines: string[] = []
  const write = (text: string) => lines.push(text)
  return { ...createLog(settings, { environment: {}, isTerminal: false, ...place, write }), lines }
}

const token = { symbol: 'TKN', decimals: 18 }

test('text is a sentence and its fields, with amounts in tokens once the token is known', (t) => {
  const { log, amountsIn, lines } = given('text')
  log.info({ sender: '0xab', openBlock: 7, balance: '5000000000000000' }, 'agreed to close')
  amountsIn(token)
  log.info({ sender: '0xab', balance: '5000000000000000', price: 10n ** 18n }, 'agreed to close')
  log.warn({ channels: 2, needed: `${10n ** 16n}` }, 'too little ether')
  log.debug('not told')
  t.deepEqual(lines, [
    'agreed to close sender=0xab openBlock=7 balance=5000000000000000\n',
    'agreed to close sender=0xab balance="0.005 TKN" price="1 TKN"\n',
    'warn: too little ether channels=2 needed="0.01 ETH"\n',
  ])
})

test('an error is its code, its reason and what to do, in both formats', (t) => {
  const err = new UraidenError({ code: 'chain_unavailable', message: 'It is away.', hint: 'Wait.' })
  for (const format of ['text', 'logfmt', 'auto']) {
    const { log, lines } = given(format)
    log.warn({ err }, 'the chain could not be read')
    t.deepEqual(lines, [
      'warn: the chain could not be read code=chain_unavailable reason="It is away." hint=Wait.\n',
    ])
  }
  const { log, lines } = given('json')
  log.warn({ err }, 'the chain could not be read')
  const { time, ...rest } = JSON.parse(lines.join(''))
  t.regex(time, /^\d{4}-\d\d-\d\dT.*Z$/)
  t.deepEqual(rest, {
    level: 'warn',
    message: 'the chain could not be read',
    ...{ code: 'chain_unavailable', reason: 'It is away.', hint: 'Wait.' },
  })
})

test('a defect says where it happened, on one line; keys of services and passwords are not told', (t) => {
  const { log, lines } = given('text')
  const err = new Error('GET https://node.example/v3/0123456789abcdef failed\nerror: paid 5 TKN')
  log.error({ err, password: 'secret' }, 'a request could not be answered')
  log.warn('https://user:pass@node.example/path?key=abc is away')
  const text = lines.join('')
  t.is(text.split('\n').length, 3)
  t.regex(text, /stack=".*log\.test\.ts/)
  t.notRegex(text, /0123456789abcdef|secret|pass@|key=abc/)
})

test('the journal gets priorities, a terminal the time', (t) => {
  const journal = given('text', { environment: { JOURNAL_STREAM: '8:1' }, isTerminal: true })
  journal.log.info('one')
  journal.log.error('two')
  t.deepEqual(journal.lines, ['<6>one\n', '<3>error: two\n'])
  const json = given('json', { environment: { JOURNAL_STREAM: '8:1' } })
  json.log.warn('three')
  t.regex(json.lines.join(''), /^<4>\{"level":"warn"/)
  const terminal = given('text', { isTerminal: true })
  terminal.log.info('four')
  t.regex(terminal.lines.join(''), /^\d\d:\d\d:\d\d four\n$/)
})

test('lines of requests have method, path and status as fields of their own', async (t) => {
  const { log, lines } = given('text')
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: false }),
  })
  t.teardown(() => app.close())
  app.get('/a', async () => 'well')
  await app.inject('/a')
  const text = lines.join('')
  t.regex(text, /^incoming request .*method=GET url=\/a\b/m)
  t.regex(text, /^request completed .*statusCode=200\b.*responseTime=/m)
})
