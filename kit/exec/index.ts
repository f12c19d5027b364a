export { runTool, type ToolOptions, type ToolResult } from './run-tool.ts';
