"""The plugins that come with hookctl, registered like those of third parties."""
