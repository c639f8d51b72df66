// One line of fortunes.txt, another one each time.
import { readFileSync } from 'node:fs'

const fortunes = readFileSync(new URL('fortunes.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n')
let next = Math.floor(Math.random() * fortunes.length)

export function handler() {
  next = (next + 1) % fortunes.length
  return `${fortunes[next]}\n`
}
