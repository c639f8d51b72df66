// What a buying process of the benchmarks does: pays until it is warm, says so, and is measured when it is told to.

/** Sends the microseconds of processor that `count` purchases took. `last` runs when all have been counted. */
export async function measured(pay, base, count, last) {
  async function ask() {
    const answer = await pay(`${base}/paid`)
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
    await answer.json()
  }
  for (let warmUp = 0; warmUp < 10; warmUp++) await ask()
  process.send('warm')
  await told()
  const before = process.cpuUsage()
  for (let request = 0; request < Number(count); request++) await ask()
  const { user, system } = process.cpuUsage(before)
  process.send(user + system)
  await told()
  await last?.()
  process.exit(0)
}

function told() {
  return new Promise((resolve) => process.once('message', resolve))
}
