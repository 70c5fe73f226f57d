"""Clouds of points and their clusters: estimators take settings, `fit(points)` returns a model that stands alone.

Nothing here knows what a protein is: a point is a row of numbers, its weight how much it counts.
"""

from .adapters import HDBSCAN as HDBSCAN
from .adapters import GaussianMixture as GaussianMixture
from .adapters import GaussianMixtureModel as GaussianMixtureModel
from .attention_clusters import AttentionClusters as AttentionClusters
from .attention_clusters import AttentionClustersModel as AttentionClustersModel
from .attention_flow import AttentionFlow as AttentionFlow
from .attention_flow import Space as Space
from .choose_k import Choice as Choice
from .choose_k import choose_k as choose_k
from .dense_regions import HDBSCANModel as HDBSCANModel
from .density import DensityClusters as DensityClusters
from .earth_mover import Transport as Transport
from .earth_mover import earth_movers as earth_movers
from .families import Family as Family
from .families import d_family as d_family
from .kmeans import KMeans as KMeans
from .kmeans import KMeansModel as KMeansModel
from .metrics import adjusted_rand as adjusted_rand
from .metrics import contingency as contingency
from .metrics import variation_of_information as variation_of_information
from .mppca import MPPCA as MPPCA
from .mppca import MPPCAModel as MPPCAModel
from .mppca import mixture_of_labels as mixture_of_labels
from .principal import principal as principal
from .protocols import Clustering as Clustering
from .protocols import ClusterModel as ClusterModel
from .selection import Selection as Selection
from .selection import Trial as Trial
from .selection import select as select
from .sesc import SESC as SESC
from .sesc import SESCModel as SESCModel
from .silhouette import mean_silhouette as mean_silhouette
from .silhouette import silhouette as silhouette
from .silhouette import silhouette_of_distances as silhouette_of_distances
from .spherical import SphericalCluster as SphericalCluster
from .spherical import SphericalClusterModel as SphericalClusterModel
