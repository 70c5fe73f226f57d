"""Clouds of points and their clusters: estimators take settings, `fit(points)` returns a model that stands alone.

Nothing here knows what a protein is: a point is a row of numbers, its weight how much it counts.
"""

from .choose_k import Choice as Choice
from .choose_k import choose_k as choose_k
from .kmeans import KMeans as KMeans
from .kmeans import KMeansModel as KMeansModel
from .silhouette import mean_silhouette as mean_silhouette
from .silhouette import silhouette as silhouette
from .silhouette import silhouette_of_distances as silhouette_of_distances
