export { withDeployment } from './deployment.ts'
export * from './fields.ts'
export * from './load.ts'
export { jsonSchemaOf } from './names.ts'
