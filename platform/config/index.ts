export * from './fields.ts'
export * from './load.ts'
export { type JsonSchema, jsonSchemaOf } from './names.ts'
