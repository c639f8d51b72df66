// The interval rule in SQL against claims.ts: the same random decisions, one after the other on what each has made of
// those before. `RUNS` in the environment is how many channels live; there are 100 decisions in a life.
import test from 'ava'
import {
  type Claims,
  claim,
  mostGaps,
  noClaims,
  unclaim,
} from '../../../receiver/channels/claims.ts'
import { gapsOf, gapsText } from '../../../receiver/cluster/columns.ts'
import { seededRandom } from '../../lab/random/random.ts'
import { sharedPostgres, withPostgres } from '../../support/postgres.ts'
import { givenState } from '../../support/shared-state.ts'

const postgres = sharedPostgres(test)
const shared = withPostgres(test)
const lives = Number(process.env.RUNS ?? 30)

interface Decision {
  readonly balance: bigint
  readonly price: bigint
  readonly mayLeaveGap: boolean
  /** When it is claimed: so much of it is kept. */
  readonly cost: bigint | undefined
}

function decisions(random: () => number, spread: number): readonly Decision[] {
  const upTo = (most: number) => BigInt(Math.floor(random() * most))
  return Array.from({ length: 100 }, () => {
    const price = 1n + upTo(8)
    return {
      ...{ balance: 1n + upTo(spread), price, mayLeaveGap: random() < 0.8 },
      cost: random() < 0.3 ? upTo(Number(price)) : undefined,
    }
  })
}

/** A life in one statement: what each decision was, and where it ended. */
const live = `
  CREATE FUNCTION pg_temp.live(balances numeric[], prices numeric[], gap boolean[], costs numeric[],
    h numeric, g nummultirange, OUT codes text[], OUT highest numeric, OUT gaps text)
  LANGUAGE plpgsql AS $$
  DECLARE c record;
  BEGIN
    codes := '{}';
    FOR i IN 1 .. cardinality(balances) LOOP
      SELECT * INTO c FROM claim_interval(h, g, balances[i], prices[i], gap[i]);
      codes := codes || coalesce(c.code, 'claimed');
      IF c.code IS NULL THEN
        h := c.h;
        g := c.g;
        IF costs[i] IS NOT NULL THEN
          g := close_gaps(g + nummultirange(numrange(balances[i] - prices[i] + costs[i], balances[i])));
        END IF;
      END IF;
    END LOOP;
    highest := h;
    gaps := g::text;
  END $$`

function lived(all: readonly Decision[], from: Claims) {
  let claims = from
  const codes = all.map(({ cost, ...asked }) => {
    const decision = claim(claims, asked)
    if (decision.kind === 'refused') return decision.code
    claims = decision.claims
    if (cost !== undefined) {
      const { paid } = decision
      claims = unclaim(claims, { from: paid.from + cost, to: paid.to })
    }
    return 'claimed'
  })
  return { codes, claims }
}

/** As many as there may be, in sizes of which several are the same. */
const full: Claims = {
  highest: 1000n,
  unclaimed: Array.from({ length: mostGaps }, (_, at) => {
    const from = BigInt(at) * 12n
    return { from, to: from + 1n + BigInt(at % 5) }
  }),
}

shared(`${lives * 100} random decisions are the same in SQL and here`, async (t) => {
  const { database } = await givenState(t, await postgres())
  const { query, close } = await database.connect()
  t.teardown(close)
  await query(live)
  const random = seededRandom(Number(process.env.SEED ?? 1))
  const seen = new Map<string, number>()
  for (let life = 0; life < lives; life++) {
    const from = life % 3 === 0 ? full : noClaims
    // Of the full one at its end and in its middle; of a new one close together and far apart.
    const all = decisions(random, from === full ? 1100 : life % 3 === 1 ? 60 : 700)
    const here = lived(all, from)
    const [row] = await query<{ codes: string[]; highest: bigint; gaps: string }>(
      'SELECT * FROM pg_temp.live($1, $2, $3, $4, $5, $6)',
      [
        all.map(({ balance }) => balance),
        all.map(({ price }) => price),
        all.map(({ mayLeaveGap }) => mayLeaveGap),
        all.map(({ cost }) => cost ?? null),
        ...[from.highest, gapsText(from.unclaimed)],
      ],
    )
    const there = { highest: row?.highest, unclaimed: gapsOf(row?.gaps ?? '') }
    t.deepEqual([row?.codes, there], [here.codes, here.claims], `life ${life}`)
    for (const code of here.codes) seen.set(code, (seen.get(code) ?? 0) + 1)
  }
  t.log([...seen].map(([code, count]) => `${count} ${code}`).join(', '))
  for (const code of ['claimed', 'balance_spent', 'invalid_amount'])
    t.true((seen.get(code) ?? 0) > lives)
})
