import { defineHandlers } from './context.ts';
import { openApiDocument } from './openapi-document.ts';

export function openApiHandlers() {
  const document = openApiDocument();
  return defineHandlers({ openapi: () => document });
}
