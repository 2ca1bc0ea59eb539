"""The plugins that come with hookctl, registered as a third party's would be."""
