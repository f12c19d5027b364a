export { decodeOutput, type OutputEncoding } from './decode-output.ts';
export { runTool, type ToolOptions, type ToolResult } from './run-tool.ts';
