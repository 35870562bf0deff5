//! Tables of rows, as embeddings are: their plane of largest variance, and which rows are alike.
use super::*;
use crate::plotting::pca::{Pca, nearest};

impl<B: Backend> Session<B> {
    /// A parameter `[rows, dims]` by name, as far as its rows stand for something: width and values.
    async fn table(&mut self, name: &str) -> Result<(usize, Vec<f32>), Failure> {
        let Some(id) = self.plan.find(Slab::Param, name) else {
            return Err(bad_data(Problem::new("unknown-tensor").arg("name", name)));
        };
        let [_, dims] = self.plan.slot(id).shape[..] else {
            let got = show(&self.plan.slot(id).shape);
            let problem = Problem::new("table-shape")
                .arg("name", name)
                .arg("got", got);
            return Err(bad_data(problem));
        };
        let layer = name.split('.').next().unwrap_or_default();
        let mut values = self.backend.read(&[id]).await?.remove(0);
        let tokens =
            self.spec.layers.iter().any(|l| {
                l.id == layer && matches!(l.kind, crate::spec::LayerKind::Embedding { .. })
            });
        // Rows of no word are never trained: they would only blur the picture.
        if let (true, Some((_, words))) = (tokens, &self.data.text) {
            values.truncate(words.words().len().saturating_mul(dims));
        }
        Ok((dims, values))
    }

    /// The rows of a table on the plane of their two principal components: `[rows, 2]`.
    pub async fn project(&mut self, name: &str) -> Result<(Projection, Vec<f32>), Failure> {
        let (dims, values) = self.table(name).await?;
        let rows = values.len() / dims.max(1);
        let mut info = Projection {
            rows,
            dims,
            explained: [0.0; 2],
        };
        let Some(pca) = Pca::of(&values, dims, 2) else {
            return Ok((info, vec![0.0; rows * 2]));
        };
        for (e, v) in info.explained.iter_mut().zip(&pca.variance) {
            *e = if pca.total > 0.0 { v / pca.total } else { 0.0 };
        }
        let mut places = Vec::with_capacity(rows * 2);
        for row in values.chunks_exact(dims) {
            let at = pca.place(row);
            places.extend([0, 1].map(|k| at.get(k).copied().unwrap_or(0.0) as f32));
        }
        Ok((info, places))
    }

    /// The rows of a table most like one of them, by the cosine of the angle between them.
    pub async fn neighbours(
        &mut self,
        name: &str,
        row: usize,
        count: usize,
    ) -> Result<Vec<Neighbour>, Failure> {
        let (dims, values) = self.table(name).await?;
        let found = nearest(&values, dims, row, count);
        let told = |(row, cosine)| Neighbour { row, cosine };
        Ok(found.into_iter().map(told).collect())
    }

    /// The words behind the numbers of texts; empty where the data are none.
    pub fn words(&self) -> Vec<String> {
        let text = self.data.text.as_ref();
        text.map_or(Vec::new(), |(_, v)| v.words().to_vec())
    }
}
