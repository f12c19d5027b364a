import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  type DeleteQueryNode,
  type FromNode,
  IdentifierNode,
  type InsertQueryNode,
  JoinNode,
  type KyselyPlugin,
  type OnConflictNode,
  type OperationNode,
  OperationNodeTransformer,
  OperatorNode,
  ParensNode,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  PrimitiveValueListNode,
  ReferenceNode,
  type SelectQueryNode,
  TableNode,
  type UpdateQueryNode,
  ValueNode,
  ValuesNode,
  WhereNode,
} from 'kysely';
import { TENANT_TABLES } from './schema.ts';

const TENANT: ReadonlySet<string> = new Set(TENANT_TABLES);

/** A write that would leave the tenant. A fault of the program, never of a caller: it becomes INTERNAL. */
export class TenantViolation extends Error {}

interface Source {
  table: string;
  /** How the query refers to it. */
  name: string;
}

const columnOf = (table: string) => (table === 'partner' ? 'id' : 'partner_id');

function sourceOf(node: OperationNode): Source | undefined {
  const table = AliasNode.is(node) ? node.node : node;
  if (!TableNode.is(table) || !TENANT.has(table.table.identifier.name)) return undefined;
  const name = table.table.identifier.name;
  if (!AliasNode.is(node)) return { table: name, name };
  if (!IdentifierNode.is(node.alias)) throw new TenantViolation(`The alias of ${name} is not a plain name`);
  return { table: name, name: node.alias.name };
}

/**
 * What row-level security does on PostgreSQL, for SQLite: every select, join, update, delete and upsert of a tenant
 * table gets the tenant's filter, and an insert must carry the tenant's id. Text inside `sql` fragments is not seen, so
 * tables of a tenant are named through the builder.
 */
class TenantTransformer extends OperationNodeTransformer {
  readonly #partnerId: string;

  constructor(partnerId: string) {
    super();
    this.#partnerId = partnerId;
  }

  #filter({ table, name }: Source): OperationNode {
    return BinaryOperationNode.create(
      ReferenceNode.create(ColumnNode.create(columnOf(table)), TableNode.create(name)),
      OperatorNode.create('='),
      ValueNode.create(this.#partnerId),
    );
  }

  #where(where: WhereNode | undefined, nodes: readonly OperationNode[]): { where?: WhereNode } {
    const filters = nodes.flatMap((node) => sourceOf(node) ?? []).map((source) => this.#filter(source));
    const all = where === undefined ? filters : [ParensNode.create(where.where), ...filters];
    const [first, ...rest] = all;
    if (first === undefined) return {};
    return { where: WhereNode.create(rest.reduce((left, right) => AndNode.create(left, right), first)) };
  }

  #join(join: JoinNode): JoinNode {
    const source = sourceOf(join.table);
    if (source === undefined) return join;
    if (join.joinType !== 'InnerJoin' && join.joinType !== 'LeftJoin') {
      throw new TenantViolation(`${join.joinType} of ${source.table} cannot be filtered; use an inner or left join`);
    }
    const on = this.#filter(source);
    return join.on === undefined
      ? JoinNode.createWithOn(join.joinType, join.table, on)
      : JoinNode.createWithOn(join.joinType, join.table, AndNode.create(ParensNode.create(join.on.on), on));
  }

  #joins(joins: readonly JoinNode[] | undefined): { joins?: readonly JoinNode[] } {
    return joins === undefined ? {} : { joins: joins.map((join) => this.#join(join)) };
  }

  #froms(from: FromNode | undefined): readonly OperationNode[] {
    return from?.froms ?? [];
  }

  protected override transformSelectQuery(node: SelectQueryNode): SelectQueryNode {
    const inner = super.transformSelectQuery(node);
    return { ...inner, ...this.#joins(inner.joins), ...this.#where(inner.where, this.#froms(inner.from)) };
  }

  protected override transformUpdateQuery(node: UpdateQueryNode): UpdateQueryNode {
    const inner = super.transformUpdateQuery(node);
    const target = inner.table === undefined ? undefined : sourceOf(inner.table);
    if (target !== undefined) this.#assertUpdates(target.table, inner.updates);
    const sources = [...(inner.table ? [inner.table] : []), ...this.#froms(inner.from)];
    return { ...inner, ...this.#joins(inner.joins), ...this.#where(inner.where, sources) };
  }

  protected override transformDeleteQuery(node: DeleteQueryNode): DeleteQueryNode {
    const inner = super.transformDeleteQuery(node);
    const sources = [...inner.from.froms, ...(inner.using?.tables ?? [])];
    return { ...inner, ...this.#joins(inner.joins), ...this.#where(inner.where, sources) };
  }

  protected override transformInsertQuery(node: InsertQueryNode): InsertQueryNode {
    const inner = super.transformInsertQuery(node);
    const target = inner.into === undefined ? undefined : sourceOf(inner.into);
    if (target === undefined) return inner;
    this.#assertInserted(target.table, inner);
    if (inner.onConflict?.updates === undefined) return inner;
    this.#assertUpdates(target.table, inner.onConflict.updates);
    const filter = this.#filter(target);
    const { updateWhere } = inner.onConflict;
    const guarded = updateWhere ? AndNode.create(ParensNode.create(updateWhere.where), filter) : filter;
    const onConflict: OnConflictNode = { ...inner.onConflict, updateWhere: WhereNode.create(guarded) };
    return { ...inner, onConflict };
  }

  #assertInserted(table: string, { columns, values }: InsertQueryNode): void {
    const at = columns?.findIndex(({ column }) => column.name === columnOf(table)) ?? -1;
    if (at < 0 || values === undefined || !ValuesNode.is(values)) {
      throw new TenantViolation(`An insert into ${table} does not say its tenant`);
    }
    for (const row of values.values) {
      const value = PrimitiveValueListNode.is(row) ? row.values[at] : literalOf(row.values[at]);
      if (value !== this.#partnerId) throw new TenantViolation(`An insert into ${table} names another tenant`);
    }
  }

  #assertUpdates(table: string, updates: UpdateQueryNode['updates']): void {
    for (const { column, value } of updates ?? []) {
      if (!ColumnNode.is(column) || column.column.name !== columnOf(table)) continue;
      if (literalOf(value) !== this.#partnerId) throw new TenantViolation(`An update of ${table} names another tenant`);
    }
  }
}

function literalOf(node: OperationNode | undefined): unknown {
  return node !== undefined && ValueNode.is(node) ? node.value : undefined;
}

/** Confines every query run with it to one tenant. */
export function tenantFilter(partnerId: string): KyselyPlugin {
  const transformer = new TenantTransformer(partnerId);
  return {
    transformQuery: ({ node, queryId }: PluginTransformQueryArgs) => transformer.transformNode(node, queryId),
    transformResult: async ({ result }: PluginTransformResultArgs) => result,
  };
}
