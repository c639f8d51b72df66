// JSONPaths (RFC 9535) that may be asked of what a receiver sends: each takes time by the length of the
// document. What could take more is refused when the configuration is read.

import {
  JSONPathEnvironment,
  JSONPathError,
  type JSONPathNode,
  type JSONPathQuery,
  jsonpath,
} from 'json-p3'
import { shorten, type UraidenError } from '../../../protocol/index.ts'
import { agentError } from '../../errors/index.ts'
import { compileIRegexp, type IRegexp } from './i-regexp.ts'
import type { JsonText } from './json-text.ts'

/** What is found, undefined when there is nothing. */
export type JsonPath = (document: JsonText) => Found | undefined

/** A string as its text; JSON of another value, with its numbers as they are; of several values an array. */
export type Found = { readonly text: string } | { readonly json: string }

/** @throws UraidenError `not_a_jsonpath` */
export function compileJsonPath(path: string): JsonPath {
  const query = compiled(path)
  const isSingular = query.singularQuery()
  return (document) => {
    try {
      return foundIn(document, query.query(document.value), isSingular)
    } catch (error) {
      // Of a document that is too deep for it there is nothing.
      if (error instanceof JSONPathError || error instanceof RangeError) return undefined
      throw error
    }
  }
}

function foundIn(
  document: JsonText,
  found: Iterable<JSONPathNode>,
  isSingular: boolean,
): Found | undefined {
  const nodes = [...found]
  const [node] = nodes
  if (node === undefined) return undefined
  if (isSingular && typeof node.value === 'string') return { text: node.value }
  const texts = nodes.map(({ location }) => document.textAt(location))
  return { json: isSingular ? texts.join() : `[${texts.join()}]` }
}

function compiled(path: string): JSONPathQuery {
  try {
    const query = environment.compile(path)
    checkQuery(query)
    return query
  } catch (cause) {
    if (!(cause instanceof JSONPathError) && !(cause instanceof Refused)) throw cause
    throw notAPath(path, cause)
  }
}

function notAPath(path: string, cause: Error): UraidenError {
  return agentError({
    code: 'not_a_jsonpath',
    message: `"${shorten(path, 60)}" is not a JSONPath: ${cause.message}.`,
    cause,
  })
}

class Refused extends Error {}

const { expressions, selectors } = jsonpath

function checkQuery({ segments }: JSONPathQuery): void {
  for (const segment of segments) {
    for (const selector of segment.selectors) {
      if (selector instanceof selectors.FilterSelector) checkExpression(selector.expression)
    }
  }
}

function checkExpression(expression: unknown): void {
  if (expression instanceof expressions.LogicalExpression) checkExpression(expression.expression)
  else if (expression instanceof expressions.PrefixExpression) checkExpression(expression.right)
  else if (expression instanceof expressions.InfixExpression) {
    checkExpression(expression.left)
    checkExpression(expression.right)
  } else if (expression instanceof expressions.FilterQuery) checkInner(expression)
  else if (expression instanceof expressions.FunctionExtension) checkFunction(expression)
}

/** A walk through the whole document for each of its values would take its length squared. */
function checkInner(inner: InstanceType<typeof expressions.FilterQuery>): void {
  if (inner instanceof expressions.RootQuery && !inner.path.singularQuery()) {
    throw new Refused(`${inner} inside a filter is a walk for every value; name one value there`)
  }
  checkQuery(inner.path)
}

function checkFunction({ name, args }: InstanceType<typeof expressions.FunctionExtension>): void {
  for (const each of args) checkExpression(each)
  if (name !== 'match' && name !== 'search') return
  const [, pattern] = args
  // One of the document's would be the receiver's.
  if (!(pattern instanceof expressions.StringLiteral)) {
    throw new Refused(`${name}() needs its pattern in quotes`)
  }
  regexpOf(pattern.value)
}

/** Of this configuration: there are as many as it names. */
const known = new Map<string, IRegexp>()

function regexpOf(pattern: string): IRegexp {
  const found = known.get(pattern) ?? compilePattern(pattern)
  known.set(pattern, found)
  return found
}

function compilePattern(pattern: string): IRegexp {
  try {
    return compileIRegexp(pattern)
  } catch (error) {
    const { message } = error as Error
    throw new Refused(`"${shorten(pattern, 60)}" is no pattern of RFC 9485: ${message}`)
  }
}

function regexpFunction(test: (regexp: IRegexp, text: string) => boolean) {
  const { LogicalType, ValueType } = jsonpath.FunctionExpressionType
  return {
    argTypes: [ValueType, ValueType],
    returnType: LogicalType,
    call: (text: unknown, pattern: unknown) =>
      typeof text === 'string' && typeof pattern === 'string' && test(regexpOf(pattern), text),
  }
}

const environment = new JSONPathEnvironment()
environment.functionRegister.set(
  'match',
  regexpFunction((regexp, text) => regexp.matches(text)),
)
environment.functionRegister.set(
  'search',
  regexpFunction((regexp, text) => regexp.isIn(text)),
)
