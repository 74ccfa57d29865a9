//! Plans as SELECTs.

use datafusion::common::DFSchema;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    Aggregate, Expr, FetchType, Filter, Limit, LogicalPlan, Projection, SkipType, Sort, TableScan,
    Union, Window,
};
use redivis::resource::VariableType;

use super::block::{Block, Column, indent, names};
use super::expression::Rows;
use super::refusal::{Said, refuse};
use super::sql::{Kind, Sql, name};
use super::translator::Translator;
use crate::table::RedivisTable;

/// How long a query may be, in characters (redivis-api §7).
const LONGEST_QUERY: usize = 256_000;

impl Translator {
    /// A plan as a statement.
    pub(super) fn statement(&self, plan: &LogicalPlan) -> Said<String> {
        self.block(plan)?.statement(plan.schema())
    }

    /// A statement that is no longer than Redivis takes.
    pub(super) fn checked(statement: String) -> Said<String> {
        match statement.chars().count() {
            0..=LONGEST_QUERY => Ok(statement),
            _ => refuse("the query would be too long"),
        }
    }

    /// A plan as a SELECT that may be added to.
    pub(super) fn block(&self, plan: &LogicalPlan) -> Said<Block> {
        self.know_columns(plan);
        let block = match plan {
            LogicalPlan::TableScan(scan) => self.scan(scan)?,
            LogicalPlan::SubqueryAlias(alias) => self.block(&alias.input)?,
            LogicalPlan::Projection(projection) => self.projection(projection)?,
            LogicalPlan::Filter(filter) => self.filter(filter)?,
            LogicalPlan::Aggregate(aggregate) => self.aggregation(aggregate)?,
            LogicalPlan::Window(window) => self.windows(window)?,
            LogicalPlan::Sort(sort) => self.sort(sort)?,
            LogicalPlan::Limit(limit) => self.limit(limit)?,
            LogicalPlan::Union(union) => self.union(union)?,
            LogicalPlan::Join(join) => self.join(join)?,
            other => return refuse(kind_of(other)),
        };
        match block.columns.len() == plan.schema().fields().len() {
            true => Ok(block),
            // Columns go by their places: none may be taken for another.
            false => refuse(format!("the columns of {}", kind_of(plan))),
        }
    }

    /// The block as a subquery of another one.
    pub(super) fn wrapped(&self, block: &Block, schema: &DFSchema) -> Said<Block> {
        let statement = block.statement(schema)?;
        let mut wrapped = self.named(&format!("(\n{}\n)", indent(&statement)), schema, |i| {
            block.columns[i].is_opaque
        })?;
        wrapped.is_ordered = block.is_ordered;
        wrapped.does_work = block.does_work;
        Ok(wrapped)
    }

    /// A table or subquery under a new name, whose columns are called as [`names`] calls them.
    pub(super) fn named(
        &self,
        from: &str,
        schema: &DFSchema,
        is_opaque: impl Fn(usize) -> bool,
    ) -> Said<Block> {
        let alias = self.alias();
        let columns = names(schema)
            .iter()
            .enumerate()
            .map(|(i, column)| {
                Ok(Column {
                    sql: Sql::operand(format!("{alias}.{}", name(column)?)),
                    is_name: true,
                    is_opaque: is_opaque(i),
                })
            })
            .collect::<Said<Vec<_>>>()?;
        Ok(Block::of(format!("{from} AS {alias}"), columns))
    }

    /// The block, as a subquery if what was computed in it would be said more than once.
    pub(super) fn ready<'a>(
        &self,
        block: Block,
        schema: &DFSchema,
        exprs: impl IntoIterator<Item = &'a Expr>,
    ) -> Said<Block> {
        let mut uses = vec![0; block.columns.len()];
        for expr in exprs {
            for (column, count) in expr.column_refs_counts() {
                if let Ok(place) = schema.index_of_column(column) {
                    uses[place] += count;
                }
            }
        }
        let repeats = |(column, uses): (&Column, &usize)| !column.is_name && *uses > 1;
        match block.columns.iter().zip(&uses).any(repeats) {
            true => self.wrapped(&block, schema),
            false => Ok(block),
        }
    }

    /// The block, as a subquery unless its rows can still be filtered, joined and grouped.
    pub(super) fn open(&self, block: Block, schema: &DFSchema) -> Said<Block> {
        match block.is_open() {
            true => Ok(block),
            false => self.wrapped(&block, schema),
        }
    }

    fn scan(&self, scan: &TableScan) -> Said<Block> {
        let table = &scan.table_name;
        let provider = source_as_provider(&scan.source).ok();
        let Some(provider) = provider
            .as_ref()
            .and_then(|it| it.downcast_ref::<RedivisTable>())
        else {
            return refuse(format!("{table} is not on Redivis"));
        };
        let connection = provider.connection();
        if !self.is_at(connection) {
            return refuse(format!("{table} is at another endpoint"));
        }
        let client = connection.client();
        if client.is_anonymous() || client.is_offline() {
            return refuse("queries take somebody who is signed in");
        }
        let Some(reference) = provider
            .table()
            .reference()
            .filter(|_| provider.is_immutable())
        else {
            return refuse(format!("{table} is no released version that never changes"));
        };
        let alias = self.alias();
        let variables = provider.variables();
        let places = match &scan.projection {
            Some(projection) => projection.clone(),
            None => (0..variables.len()).collect(),
        };
        let columns = places
            .into_iter()
            .map(|place| {
                let Some(variable) = variables.get(place) else {
                    return refuse(format!("{table} has no variable {place}"));
                };
                Ok(Column {
                    sql: Sql::operand(format!("{alias}.{}", name(&variable.name)?)),
                    is_name: true,
                    is_opaque: matches!(
                        variable.variable_type,
                        VariableType::Geography | VariableType::Other(_)
                    ),
                })
            })
            .collect::<Said<Vec<_>>>()?;
        let from = format!("{} AS {alias}", name(&reference.to_string())?);
        let mut block = Block::of(from, columns);
        for filter in &scan.filters {
            let text = Rows::new(self, &scan.projected_schema, &block.columns)
                .say(filter)?
                .as_operand();
            block.filters.push(text);
            block.does_work = true;
        }
        // Its fetch is only a hint: the limit stands above it.
        Ok(block)
    }

    fn projection(&self, projection: &Projection) -> Said<Block> {
        let schema = projection.input.schema();
        let block = self.block(&projection.input)?;
        let mut block = self.ready(block, schema, &projection.expr)?;
        let rows = Rows::new(self, schema, &block.columns);
        let columns = projection
            .expr
            .iter()
            .map(|expr| match rows.column(expr) {
                Some(column) => Ok(column.clone()),
                None => {
                    Kind::of(&rows.data_type(expr)?)?;
                    Ok(Column::computed(rows.say(expr)?))
                }
            })
            .collect::<Said<Vec<_>>>()?;
        block.does_work |= projection
            .expr
            .iter()
            .any(|expr| rows.column(expr).is_none());
        block.columns = columns;
        Ok(block)
    }

    fn filter(&self, filter: &Filter) -> Said<Block> {
        let schema = filter.input.schema();
        let block = self.open(self.block(&filter.input)?, schema)?;
        let mut block = self.ready(block, schema, [&filter.predicate])?;
        let rows = Rows::new(self, schema, &block.columns);
        let filters = split_conjunction(&filter.predicate)
            .into_iter()
            .map(|conjunct| Ok(rows.say(conjunct)?.as_operand()))
            .collect::<Said<Vec<_>>>()?;
        block.filters.extend(filters);
        block.does_work = true;
        Ok(block)
    }

    fn aggregation(&self, aggregate: &Aggregate) -> Said<Block> {
        let schema = aggregate.input.schema();
        if let [Expr::GroupingSet(sets)] = aggregate.group_expr.as_slice() {
            return self.grouping_sets(aggregate, sets);
        }
        let block = self.open(self.block(&aggregate.input)?, schema)?;
        let exprs = aggregate.group_expr.iter().chain(&aggregate.aggr_expr);
        let block = self.ready(block, schema, exprs)?;
        let keyed = self.with_named_keys(block, schema, &aggregate.group_expr)?;
        self.grouped(aggregate, &keyed)
    }

    /// The block, as a subquery if a key is computed: a key is said where it is grouped by, and where it is selected.
    pub(super) fn with_named_keys(
        &self,
        block: Block,
        schema: &DFSchema,
        keys: &[Expr],
    ) -> Said<Keyed> {
        let rows = Rows::new(self, schema, &block.columns);
        let is_name = |key: &Expr| rows.column(key).is_some_and(|column| column.is_name);
        let mut said = Vec::with_capacity(keys.len());
        for key in keys {
            Kind::of(&rows.data_type(key)?)?;
            said.push(rows.say(key)?);
        }
        if keys.iter().all(is_name) {
            return Ok(Keyed { block, keys: said });
        }
        let mut columns = vec![];
        for (column, alias) in block.columns.iter().zip(names(schema)) {
            columns.push(format!("{} AS {}", column.sql.text(), name(&alias)?));
        }
        for (place, key) in said.iter().enumerate() {
            columns.push(format!("{} AS {}", key.text(), key_name(schema, place)));
        }
        let from = format!("(\n{}\n)", indent(&block.select(&columns)));
        let wrapped = self.named(&from, schema, |i| block.columns[i].is_opaque)?;
        let alias = self.last_alias();
        let keys = (0..keys.len())
            .map(|place| Sql::operand(format!("{alias}.{}", key_name(schema, place))));
        Ok(Keyed {
            keys: keys.collect(),
            block: wrapped,
        })
    }

    /// A block grouped by its keys.
    fn grouped(&self, aggregate: &Aggregate, keyed: &Keyed) -> Said<Block> {
        let mut block = keyed.block.clone();
        let rows = Rows::new(self, aggregate.input.schema(), &keyed.block.columns);
        let mut columns: Vec<Column> = keyed.keys.iter().cloned().map(Column::computed).collect();
        for column in &mut columns {
            // A key's name may be said again, but only the key's.
            column.is_name = true;
        }
        for expr in &aggregate.aggr_expr {
            columns.push(Column::computed(rows.aggregate(expr)?));
        }
        let groups = keyed.keys.iter().map(|key| key.text().to_owned());
        block.groups = Some(groups.collect());
        block.columns = columns;
        block.order = vec![];
        block.is_ordered = false;
        block.does_work = true;
        Ok(block)
    }

    fn windows(&self, window: &Window) -> Said<Block> {
        let schema = window.input.schema();
        let block = self.open(self.block(&window.input)?, schema)?;
        let mut block = self.ready(block, schema, &window.window_expr)?;
        let rows = Rows::new(self, schema, &block.columns);
        let windows = window
            .window_expr
            .iter()
            .map(|expr| Ok(Column::computed(rows.window(expr)?)))
            .collect::<Said<Vec<_>>>()?;
        block.columns.extend(windows);
        block.is_ordered = false;
        block.does_work = true;
        // Neither WHERE nor GROUP BY can name them.
        self.wrapped(&block, &window.schema)
    }

    fn sort(&self, sort: &Sort) -> Said<Block> {
        let schema = sort.input.schema();
        let mut block = self.block(&sort.input)?;
        if block.is_limited() {
            block = self.wrapped(&block, schema)?;
        }
        let block = self.ready(block, schema, sort.expr.iter().map(|key| &key.expr))?;
        let order = Rows::new(self, schema, &block.columns).order(&sort.expr)?;
        Ok(Block {
            order,
            fetch: sort.fetch,
            is_ordered: true,
            does_work: true,
            ..block
        })
    }

    fn limit(&self, limit: &Limit) -> Said<Block> {
        let (Ok(SkipType::Literal(skip)), Ok(FetchType::Literal(fetch))) =
            (limit.get_skip_type(), limit.get_fetch_type())
        else {
            return refuse("a limit that is no literal");
        };
        let mut block = self.block(&limit.input)?;
        let is_lost = |block: &Block| block.is_ordered && block.order.is_empty();
        if is_lost(&block) || (block.is_ordered && block.skip > 0) {
            return refuse("the first rows of a subquery that has an order");
        }
        if block.skip > 0 {
            block = self.wrapped(&block, limit.input.schema())?;
        }
        // The first rows of the first rows: a limit that the sort below has already includes what is skipped.
        let left = block.fetch.map(|rows| rows.saturating_sub(skip));
        block.fetch = match (left, fetch) {
            (Some(left), Some(fetch)) => Some(left.min(fetch)),
            (left, fetch) => left.or(fetch),
        };
        block.skip = skip;
        Ok(block)
    }

    fn union(&self, union: &Union) -> Said<Block> {
        let mut statements = Vec::with_capacity(union.inputs.len());
        let mut does_work = false;
        for input in &union.inputs {
            let block = self.block(input)?;
            if block.columns.iter().any(|column| column.is_opaque) {
                return refuse("a union of what is no value");
            }
            does_work |= block.does_work;
            // The first names the columns; an order or a limit within takes parentheses.
            let block = match block.is_limited() {
                true => self.wrapped(&block, input.schema())?,
                false => block,
            };
            statements.push(block.statement(&union.schema)?);
        }
        let all = statements.join("\nUNION ALL\n");
        let mut block = self.named(&format!("(\n{}\n)", indent(&all)), &union.schema, |_| false)?;
        block.does_work = does_work;
        Ok(block)
    }
}

/// A block with the keys that it is to be grouped by.
pub(super) struct Keyed {
    pub(super) block: Block,
    pub(super) keys: Vec<Sql>,
}

/// A name that no column of the schema has.
fn key_name(schema: &DFSchema, place: usize) -> String {
    let taken = names(schema);
    let mut key = format!("key{}", place + 1);
    while taken.iter().any(|name| name.eq_ignore_ascii_case(&key)) {
        key.push('_');
    }
    key
}

/// What a plan is that is not said.
fn kind_of(plan: &LogicalPlan) -> String {
    match plan {
        LogicalPlan::Values(_) | LogicalPlan::EmptyRelation(_) => "rows that are here".to_owned(),
        LogicalPlan::Unnest(_) => "Redivis has no lists to unnest".to_owned(),
        other => {
            let words = other.display().to_string();
            let word = words
                .split([':', ' '])
                .next()
                .unwrap_or_default()
                .to_owned();
            format!("{word} is done here")
        }
    }
}
