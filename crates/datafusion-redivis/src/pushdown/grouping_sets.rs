//! `GROUPING SETS`, `ROLLUP` and `CUBE`.
//!
//! One SELECT for each set, all of them united: it needs no function of BigQuery's to tell the sets apart.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Aggregate, Expr, GroupingSet};

use super::block::{Block, indent, names};
use super::expression::Rows;
use super::refusal::{Said, refuse};
use super::sql::{Kind, literal, name};
use super::translator::Translator;

impl Translator {
    pub(super) fn grouping_sets(
        &self,
        aggregate: &Aggregate,
        grouping: &GroupingSet,
    ) -> Said<Block> {
        let schema = aggregate.input.schema();
        let keys: Vec<Expr> = grouping.distinct_expr().into_iter().cloned().collect();
        let sets = sets(grouping);
        let fields = aggregate.schema.fields();
        let mut ids = Vec::with_capacity(sets.len());
        for set in &sets {
            let id = id(&keys, set);
            if ids.contains(&id) {
                return refuse("a grouping set that stands twice");
            }
            ids.push(id);
        }
        let columns = names(&aggregate.schema);
        let mut statements = Vec::with_capacity(sets.len());
        for (set, id) in sets.iter().zip(ids) {
            let block = self.open(self.block(&aggregate.input)?, schema)?;
            let exprs = keys.iter().chain(&aggregate.aggr_expr);
            let block = self.ready(block, schema, exprs)?;
            let keyed = self.with_named_keys(block, schema, &keys)?;
            let mut block = keyed.block;
            let rows = Rows::new(self, schema, &block.columns);
            let mut said = vec![];
            let mut groups = vec![];
            for (key, sql) in keys.iter().zip(&keyed.keys) {
                if set.contains(key) {
                    groups.push(sql.text().to_owned());
                    said.push(sql.text().to_owned());
                } else {
                    let data_type = Kind::of(&rows.data_type(key)?)?.data_type();
                    let Ok(null) = ScalarValue::try_from(&data_type) else {
                        return refuse(format!("a null of {data_type}"));
                    };
                    said.push(literal(&null)?.text().to_owned());
                }
            }
            said.push(id.to_string());
            for expr in &aggregate.aggr_expr {
                said.push(rows.aggregate(expr)?.text().to_owned());
            }
            if said.len() != fields.len() {
                return refuse("the columns of a grouping set");
            }
            let mut selected = Vec::with_capacity(said.len());
            for (sql, column) in said.iter().zip(&columns) {
                selected.push(format!("{sql} AS {}", name(column)?));
            }
            if groups.is_empty() && aggregate.aggr_expr.is_empty() {
                // One row, of whatever is read: without an aggregate function there would be one for each row.
                statements.push(format!("SELECT\n{}", indent(&selected.join(",\n"))));
                continue;
            }
            block.groups = Some(groups);
            statements.push(block.select(&selected));
        }
        let all = statements.join("\nUNION ALL\n");
        let mut block = self.named(
            &format!("(\n{}\n)", indent(&all)),
            &aggregate.schema,
            |_| false,
        )?;
        block.does_work = true;
        Ok(block)
    }
}

/// The keys of each set.
fn sets(grouping: &GroupingSet) -> Vec<Vec<Expr>> {
    match grouping {
        GroupingSet::GroupingSets(sets) => sets.clone(),
        GroupingSet::Rollup(keys) => (0..=keys.len())
            .rev()
            .map(|length| keys[..length].to_vec())
            .collect(),
        GroupingSet::Cube(keys) => (0..1_usize << keys.len().min(16))
            .map(|mask| {
                let chosen = keys.iter().enumerate();
                let chosen = chosen.filter(|(place, _)| mask >> place & 1 == 1);
                chosen.map(|(_, key)| key.clone()).collect()
            })
            .collect(),
    }
}

/// DataFusion's `__grouping_id`: a bit for each key that is not in the set, the first key's the highest.
fn id(keys: &[Expr], set: &[Expr]) -> u64 {
    keys.iter()
        .fold(0, |id, key| id << 1 | u64::from(!set.contains(key)))
}
