// Tickets alone: who gets one, and for how long it is good. What is shown for one: test/receiver/http/bound.test.ts
import test from 'ava'
import type { BoundRequest } from '../../../receiver/channels/request-keys.ts'
import { createTickets } from '../../../receiver/paywall/tickets.ts'

function request(fields: Readonly<Record<string, string>> = {}): BoundRequest {
  const all = new Map(
    Object.entries({ 'rdn-ticket': '1', 'rdn-origin': 'https://shop.example', ...fields }),
  )
  return { covered: (name: string) => all.get(name.toLowerCase()) } as BoundRequest
}

const ticketOf = (cookie: string | undefined) => /^RDN-Ticket=([\w-]{43});/.exec(cookie ?? '')?.[1]

test('a ticket is a cookie of one path, for a minute, that no script sees', (t) => {
  const cookie = createTickets().issue(request(), '/a/b')
  t.not(ticketOf(cookie), undefined)
  t.regex(cookie ?? '', /; Path=\/a\/b; Max-Age=60; Secure; HttpOnly; SameSite=Strict$/)
})

test('it is good once, and for a minute', (t) => {
  let now = 0
  const tickets = createTickets(() => now)
  const given = request()
  const [first, second] = [1, 2].map(() => ticketOf(tickets.issue(given, '/')) ?? '')
  now = 59_999
  t.is(tickets.redeem(first ?? ''), given)
  t.is(tickets.redeem(first ?? ''), undefined)
  now = 60_000
  t.is(tickets.redeem(second ?? ''), undefined)
  t.is(tickets.redeem('made up'), undefined)
})

test('nobody gets one who has not asked, over plain HTTP, or for a path that is no cookie’s', (t) => {
  const { issue } = createTickets()
  const unasked = { covered: (name: string) => (name === 'rdn-origin' ? 'https://x' : undefined) }
  t.is(issue(unasked as BoundRequest, '/'), undefined)
  t.is(issue(request({ 'rdn-origin': 'http://192.168.1.20:5000' }), '/'), undefined)
  t.is(issue(request(), '/a; Domain=x'), undefined)
})

test('the oldest of too many goes', (t) => {
  const tickets = createTickets()
  const all = Array.from({ length: 1025 }, () => ticketOf(tickets.issue(request(), '/')) ?? '')
  t.is(tickets.redeem(all[0] ?? ''), undefined)
  t.not(tickets.redeem(all[1] ?? ''), undefined)
})
