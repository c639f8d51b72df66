// The wall clock is set by time services and by people. What waits, expires or is limited goes by time that
// passes (platform/time/monotonic.ts); the wall clock is for dates, and only in the files that are named here.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import test from 'ava'

/** Each with what the date is for. */
const dates: Readonly<Record<string, string>> = {
  'agent/cli/commands/books.ts': 'when a spent budget is free again',
  'agent/cli/commands/daemon.ts': 'how long ago, in a status',
  'agent/cli/commands/doctor.ts': 'shows the clock itself',
  'agent/cli/commands/hand-over.ts': 'whether a file was changed since, by its date',
  'agent/channels/transaction-history.ts': 'the day of a transaction',
  'agent/discovery/search.ts': 'when a receiver was pinned',
  'agent/jobs/clock.ts': 'moments of a timetable are dates, and looked at again each minute',
  'agent/program/configuration/kept.ts': 'when it was read',
  'agent/program/configuration/load.ts': 'when it was read',
  'agent/program/control/log.ts': 'when it was said',
  'agent/program/daemon/page.ts': 'sums of the last days, and until when a budget lasts',
  'agent/program/daemon/buyers.ts': 'when a spent budget frees',
  'agent/program/daemon/terminal.ts': 'the time of day of a purchase, at a terminal',
  'agent/program/page/web/app.ts': 'how long ago, on the page',
  'agent/purchase/lost.ts': 'when it was paid',
  'agent/purchase/states.ts': 'when it was bought',
  'deploy/pi/fleet/fund/records.ts': 'when it was sent',
  'deploy/pi/fleet/hosts/accounts.ts': 'when an account was entered',
  'platform/cli/doctor.ts': 'how old the newest block is',
  'platform/config/every.ts': 'moments of a timetable are dates',
  'platform/config/schedule.ts': 'moments of a timetable are dates',
  'platform/time/machine-clock.ts': 'reads the wall clock, for the proven time',
  'receiver/alerts/alerting.ts': 'when it was told',
  'receiver/chain/gas-price.ts': 'the hour of a price, kept over restarts',
  'receiver/cli/doctor/checks.ts': 'whether a certificate is valid today',
  'receiver/income/recorder.ts': 'income of an hour',
  'receiver/income/traffic-recorder.ts': 'requests of an hour',
  'receiver/server/backup/backup.ts': 'when it was made',
  'receiver/settlement/settlement.ts': 'moments of a timetable are dates',
  'receiver/tls/reload.ts': 'whether a certificate is valid today',
  'receiver/web/pages/dashboard/figures.ts': 'income of the last days',
  'receiver/web/pages/paywall/bought.ts': 'until when what was bought is kept, over visits',
}

const rooms = ['agent', 'browser', 'contracts', 'deploy', 'platform', 'protocol', 'receiver']
const wallClock = /\bDate\s*\.\s*now\b|\bnew Date\(\s*\)|\bDate\(\s*\)/

function readsWallClock(text: string): boolean {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
  return wallClock.test(code)
}

test('the wall clock is read for dates only', (t) => {
  const options = ['ls-files', '--cached', '--others', '--exclude-standard', '--']
  const files = execFileSync('git', [...options, ...rooms.map((room) => `${room}/**/*.ts`)], {
    encoding: 'utf8',
  })
  const found = files
    .split('\n')
    .filter((file) => file !== '' && readsWallClock(readFileSync(file, 'utf8')))
  t.deepEqual(found.sort(), Object.keys(dates).sort())
})

test('what reads the wall clock is found, and what makes a date of a number is not', (t) => {
  for (const code of [
    'Date.now()',
    'now = Date.now',
    'new Date()',
    'x(new Date( ))',
    'Date .now()',
  ]) {
    t.true(readsWallClock(code), code)
  }
  for (const code of [
    'new Date(time)',
    '// Date.now()',
    '/** new Date() */',
    'performance.now()',
  ]) {
    t.false(readsWallClock(code), code)
  }
})
